import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { describeStorages } from "../../_setup.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { sessionKey } from "../../../storage/sessions/session-record.ts";
import { retired, toCookie, whoIs } from "../../_sessions.ts";

const base = { methods: testMethods, auth: trustingAuth };
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const name = "$session-1001";

describeStorages("a session", ({ start }) => {
  test("doesn't begin for a guest who only reads", async () => {
    const { client } = await start(base);
    const guest = client();
    for (const method of ["getUser", "getBasket", "getWishlist", "clearBasket", "notes"]) {
      expect((await guest.call(method)).setCookies).toEqual([]);
    }
    expect((await guest.call("logout")).setCookies).toEqual([]);
    expect((await guest.call("refuse")).setCookies).toEqual([]);
  });

  test("sends an HttpOnly cookie with the signature of Express", async () => {
    const { client } = await start(base);
    const guest = client();
    const { setCookies } = await guest.call("note", { begun: true });
    expect(guest.sessionId).toMatch(uuid);
    const [pair, ...attributes] = (setCookies[0] as string).split("; ");
    expect(pair).toBe(`${name}=${toCookie(guest.sessionId as string)}`);
    const expected = ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"];
    expect(attributes.toSorted()).toEqual(expected);
  });

  test("sends a cookie only if something about the session changed", async () => {
    const { client } = await start(base);
    const customer = client();
    const cookies = async (method: string, payload?: unknown) =>
      (await customer.call(method, payload)).setCookies.length;
    expect(await cookies("note", { colour: "red" })).toBe(1);
    expect(await cookies("note", { colour: "blue" })).toBe(0);
    expect(await cookies("addItemToBasket", { variantId: 7, quantity: 1 })).toBe(0);
    expect(await cookies("login", as(7))).toBe(1);
    expect(await cookies("updateUser", { firstName: "Ada" })).toBe(0);
    expect(await cookies("getUser")).toBe(0);
    expect(await cookies("refuse")).toBe(0);
    expect(await cookies("logout")).toBe(1);
    expect(await cookies("getUser")).toBe(0);
  });

  test("gets a new ID at login, and the old ID is invalid immediately", async () => {
    const { client } = await start(base);
    const customer = client();
    await customer.call("note", { colour: "red" });
    const thief = customer.clone();
    await customer.call("login", as(7));
    const [user, random] = (customer.sessionId as string).split(":");
    expect(user).toBe("7");
    expect(random).toMatch(uuid);
    expect(random).not.toBe(thief.sessionId);
    for (const id of [thief.sessionId, `7:${thief.sessionId}`, `${random}`, `8:${random}`]) {
      thief.cookies.set(name, toCookie(id as string));
      const opens = await thief.call("getUser");
      if (sessionKey(id as string) === random)
        expect(opens).toMatchObject({ status: 200, body: {} });
      else expect(opens, id).toMatchObject(retired);
    }
    expect(await whoIs(customer)).toEqual([7, { colour: "red" }]);
  });

  test("gets a new ID at each login, without the data of another user", async () => {
    const { client } = await start(base);
    const customer = client();
    await customer.call("login", as(7));
    await customer.call("note", { colour: "red" });
    const first = customer.clone();
    await customer.call("login", as(7));
    expect(await first.call("getUser")).toMatchObject(retired);
    expect(await whoIs(customer)).toEqual([7, { colour: "red" }]);
    await customer.call("login", as(8));
    expect(await whoIs(customer)).toEqual([8, {}]);
    expect((await customer.call("endSessions", { userId: 7 })).body).toBe(0);
  });

  test("keeps its ID if the login fails", async () => {
    const auth = { ...trustingAuth, login: async () => undefined };
    const { client } = await start({ ...base, auth });
    const guest = client();
    await guest.call("note", { colour: "red" });
    const answer = await guest.call("login", as(7));
    expect(answer).toMatchObject({ status: 401, setCookies: [] });
    expect(await whoIs(guest)).toEqual([undefined, { colour: "red" }]);
  });

  const strange = ["a:b", "ü/..?$", "x".repeat(64), "€".repeat(64), "😀".repeat(32), "__proto__"];

  test.each([...strange, " ", "\n", '=;," \\', "7:", randomUUID(), 2 ** 53 - 1])(
    "can belong to the user %j",
    async (id) => {
      const { client } = await start(base);
      const [customer, office] = [client(), client()];
      const entered = await customer.call("enter", { id });
      expect(entered.status).toBe(200);
      expect(customer.sessionId?.slice(0, -37)).toBe(String(id));
      expect((await customer.call("getUser")).body).toEqual({ user: { id } });
      expect((await customer.call("listSessions")).body.sessions).toHaveLength(1);
      const second = client();
      await second.call("enter", { id });
      expect((await second.call("logout")).status).toBe(204);
      expect((await office.call("endSessions", { userId: id })).body).toBe(1);
      expect((await customer.call("getUser")).body).toEqual({});
    },
  );

  test('treats the user IDs 7 and "7" as one user', async () => {
    const { client } = await start(base);
    const [number, text, other] = [client(), client(), client()];
    await number.call("enter", { id: 7 });
    await text.call("enter", { id: "7" });
    await other.call("enter", { id: "07" });
    expect((await text.call("listSessions")).body.sessions).toHaveLength(2);
    expect((await other.call("endSessions", { userId: "7" })).body).toBe(2);
    expect((await other.call("getUser")).body.user.id).toBe("07");
  });

  test("ends at logout, and the user's other sessions stay active", async () => {
    const { client } = await start(base);
    const [here, there] = [client(), client()];
    await here.call("login", as(7));
    await there.call("login", as(7));
    const replay = here.clone();
    const { setCookies, status } = await here.call("logout");
    expect(status).toBe(204);
    expect(setCookies).toEqual([expect.stringMatching(/^\$session-1001=; (.*; )?Max-Age=0/)]);
    expect(here.cookies.size).toBe(0);
    expect(await whoIs(replay)).toEqual([undefined, {}]);
    expect(await whoIs(there)).toEqual([7, {}]);
  });

  test("appears in its user's list with a handle that gives no access", async () => {
    const { client } = await start(base);
    const [here, there] = [client(), client()];
    await there.call("login", as(7), { "user-agent": "Phone" });
    await here.call("login", as(7), { "user-agent": "Desk" });
    const { sessions } = (await here.call("listSessions")).body;
    const listed = sessions.map(({ userAgent, current }: Listed) => `${userAgent} ${current}`);
    expect(listed.toSorted()).toEqual(["Desk true", "Phone false"]);
    const fields = "createdAt,current,device,handle,lastSeenAt,shopId,transport,userAgent";
    for (const session of sessions) {
      expect(Object.keys(session).toSorted().join()).toBe(fields);
      expect(session.lastSeenAt).toBe(session.createdAt);
      for (const id of [session.handle, `7:${session.handle}`]) {
        const thief = client();
        thief.cookies.set(name, toCookie(id));
        expect(await whoIs(thief)).toEqual([undefined, {}]);
      }
    }
    for (const customer of [here, there]) {
      expect(JSON.stringify(sessions)).not.toContain(customer.sessionId?.slice(2));
    }
  });

  test("ends if its user revokes it, and no other user can", async () => {
    const { client } = await start(base);
    const [here, there, other] = [client(), client(), client()];
    await here.call("login", as(7));
    await there.call("login", as(7));
    await other.call("login", as(8));
    const { sessions } = (await here.call("listSessions")).body;
    const { handle } = sessions.find(({ current }: Listed) => !current);
    const { handle: own } = sessions.find(({ current }: Listed) => current);
    expect((await other.call("revokeSession", { handle })).status).toBe(404);
    expect((await client().call("revokeSession", { handle })).status).toBe(401);
    expect(await whoIs(there)).toEqual([7, {}]);
    expect((await here.call("revokeSession", { handle })).status).toBe(204);
    expect((await here.call("revokeSession", { handle })).status).toBe(404);
    expect(await whoIs(there)).toEqual([undefined, {}]);
    expect((await here.call("revokeSession", { handle: own })).status).toBe(204);
    expect(here.cookies.size).toBe(0);
  });
});

interface Listed {
  readonly current: boolean;
  readonly userAgent?: string;
}

import { createHmac, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StorefrontConfig } from "../server/config.ts";
import { createFaultyDriver } from "./_faulty-driver.ts";
import { createMatrix, describeMatrix, testSecret } from "./_setup.ts";
import type { Visitor } from "./_visitor.ts";
import { as, trustingAuth } from "./fixtures/ground.ts";
import { testMethods } from "./fixtures/methods.ts";
import { readStored, sessionIdOf } from "./fixtures/stored.ts";

const base = { methods: testMethods, auth: trustingAuth };
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const name = "$session-1001";

describeMatrix("a session", ({ start }) => {
  test("is not begun by a guest who only looks around", async () => {
    const { visitor } = await start(base);
    const guest = visitor();
    for (const method of ["getUser", "getBasket", "getWishlist", "clearBasket", "notes"]) {
      expect((await guest.call(method)).setCookies).toEqual([]);
    }
    expect((await guest.call("logout")).setCookies).toEqual([]);
    expect((await guest.call("refuse")).setCookies).toEqual([]);
  });

  test("travels in a cookie as express signs it, out of reach of scripts", async () => {
    const { visitor } = await start(base);
    const guest = visitor();
    const { setCookies } = await guest.call("note", { begun: true });
    expect(guest.sessionId).toMatch(uuid);
    const [pair, ...attributes] = (setCookies[0] as string).split("; ");
    expect(pair).toBe(`${name}=${toCookie(guest.sessionId as string)}`);
    const expected = ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"];
    expect(attributes.toSorted()).toEqual(expected);
  });

  test("is told to the browser only where something about it changed", async () => {
    const { visitor } = await start(base);
    const customer = visitor();
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

  test("gets a new id at login, and the old one is dead at once", async () => {
    const { visitor } = await start(base);
    const customer = visitor();
    await customer.call("note", { colour: "red" });
    const thief = customer.clone();
    await customer.call("login", as(7));
    const [user, random] = (customer.sessionId as string).split(":");
    expect(user).toBe("7");
    expect(random).toMatch(uuid);
    expect(random).not.toBe(thief.sessionId);
    for (const id of [thief.sessionId, `7:${thief.sessionId}`, `${random}`, `8:${random}`]) {
      expect(await whoIs(thief, toCookie(id as string)), id).toEqual([undefined, {}]);
    }
    expect(await whoIs(customer)).toEqual([7, { colour: "red" }]);
  });

  test("gets a new id at each login, and one user's data goes to no other", async () => {
    const { visitor } = await start(base);
    const customer = visitor();
    await customer.call("login", as(7));
    await customer.call("note", { colour: "red" });
    const first = customer.clone();
    await customer.call("login", as(7));
    expect(await whoIs(first)).toEqual([undefined, {}]);
    expect(await whoIs(customer)).toEqual([7, { colour: "red" }]);
    await customer.call("login", as(8));
    expect(await whoIs(customer)).toEqual([8, {}]);
    expect((await customer.call("endSessions", { userId: 7 })).body).toBe(0);
  });

  test("keeps its id where the login fails", async () => {
    const auth = { ...trustingAuth, login: async () => undefined };
    const { visitor } = await start({ ...base, auth });
    const guest = visitor();
    await guest.call("note", { colour: "red" });
    const answer = await guest.call("login", as(7));
    expect(answer).toMatchObject({ status: 401, setCookies: [] });
    expect(await whoIs(guest)).toEqual([undefined, { colour: "red" }]);
  });

  const strange = ["a:b", "ü/..?$", "x".repeat(64), "€".repeat(64), "😀".repeat(32), "__proto__"];

  test.each([...strange, " ", "\n", '=;," \\', "7:", randomUUID(), 2 ** 53 - 1])(
    "can be the user %j's",
    async (id) => {
      const { visitor } = await start(base);
      const [customer, office] = [visitor(), visitor()];
      const entered = await customer.call("enter", { id });
      expect(entered.status).toBe(200);
      expect(customer.sessionId?.slice(0, -37)).toBe(String(id));
      expect((await customer.call("getUser")).body).toEqual({ user: { id } });
      expect((await customer.call("listSessions")).body.sessions).toHaveLength(1);
      const second = visitor();
      await second.call("enter", { id });
      expect((await second.call("logout")).status).toBe(204);
      expect((await office.call("endSessions", { userId: id })).body).toBe(1);
      expect((await customer.call("getUser")).body).toEqual({});
    },
  );

  test("of the user 7 is one of the user whose id is the text 7", async () => {
    const { visitor } = await start(base);
    const [number, text, other] = [visitor(), visitor(), visitor()];
    await number.call("enter", { id: 7 });
    await text.call("enter", { id: "7" });
    await other.call("enter", { id: "07" });
    expect((await text.call("listSessions")).body.sessions).toHaveLength(2);
    expect((await other.call("endSessions", { userId: "7" })).body).toBe(2);
    expect((await other.call("getUser")).body.user.id).toBe("07");
  });

  test("ends at logout, and no other of the user's does", async () => {
    const { visitor } = await start(base);
    const [here, there] = [visitor(), visitor()];
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

  test("is listed for its user, by a handle that opens nothing", async () => {
    const { visitor } = await start(base);
    const [here, there] = [visitor(), visitor()];
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
        expect(await whoIs(visitor(), toCookie(id))).toEqual([undefined, {}]);
      }
    }
    for (const customer of [here, there]) {
      expect(JSON.stringify(sessions)).not.toContain(customer.sessionId?.slice(2));
    }
  });

  test("ends where its user revokes it, and nobody else can", async () => {
    const { visitor } = await start(base);
    const [here, there, other] = [visitor(), visitor(), visitor()];
    await here.call("login", as(7));
    await there.call("login", as(7));
    await other.call("login", as(8));
    const { sessions } = (await here.call("listSessions")).body;
    const { handle } = sessions.find(({ current }: Listed) => !current);
    const { handle: own } = sessions.find(({ current }: Listed) => current);
    expect((await other.call("revokeSession", { handle })).status).toBe(404);
    expect((await visitor().call("revokeSession", { handle })).status).toBe(401);
    expect(await whoIs(there)).toEqual([7, {}]);
    expect((await here.call("revokeSession", { handle })).status).toBe(204);
    expect((await here.call("revokeSession", { handle })).status).toBe(404);
    expect(await whoIs(there)).toEqual([undefined, {}]);
    expect((await here.call("revokeSession", { handle: own })).status).toBe(204);
    expect(here.cookies.size).toBe(0);
  });
});

describe("a session, in the storage", () => {
  let storage = createFaultyDriver();
  beforeEach(() => {
    storage = createFaultyDriver();
  });
  const { start, allowErrors } = createMatrix("memory", "request", () => storage.driver);
  const stored = () => readStored(storage.driver, "session:");
  const ids = async () => (await stored()).map(sessionIdOf);

  test("leaves no trace before something is kept in it", async () => {
    const { visitor } = await start(base);
    const guest = visitor();
    const reads = ["getUser", "getBasket", "getWishlist", "clearBasket", "notes", "logout"];
    for (const method of [...reads, "refuse"]) await guest.call(method);
    expect(storage.stored()).toEqual(new Map());
    expect(storage.operations.filter(({ kind }) => kind !== "read")).toEqual([]);
  });

  test("leaves nothing under an old id", async () => {
    const { visitor } = await start(base);
    const customer = visitor();
    await customer.call("note", { begun: true });
    expect(await ids()).toEqual([customer.sessionId]);
    for (const userId of [7, 7, 8]) {
      await customer.call("login", as(userId));
      expect(await ids()).toEqual([customer.sessionId]);
    }
    await customer.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    expect(await ids()).toEqual([customer.sessionId]);
    await customer.call("logout");
    expect(await ids()).toEqual([]);
  });

  const garbage: [what: string, break_: (text: string) => string][] = [
    ["nothing", () => ""],
    ["no JSON", () => "hunter2"],
    ["another thing", () => '["hunter2"]'],
    ["a half of it", (text) => text.slice(0, text.length / 2)],
    ["no record", (text) => change(text, () => ({ note: "hunter2" }))],
    ["a record without data", (text) => change(text, (value) => ({ ...value, customData: null }))],
    ["a record of no user", (text) => change(text, (value) => ({ ...value, user: { id: 0 } }))],
    ["a record by another mark", (text) => text.replace('"version"', '"v"')],
  ];

  test.each(garbage)("is none where there lies %s, and a log line says so", async (_, spoil) => {
    const { visitor, lines } = await start(base);
    const customer = visitor();
    await customer.call("enter", { id: 7 });
    await customer.call("note", { colour: "hunter2" });
    const [{ key = "", text = "" } = {}] = await stored();
    await storage.driver.setItemRaw?.(key, spoil(text), {});
    const old = customer.sessionId;
    expect((await customer.call("getUser")).body).toEqual({});
    expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("dropped") }]);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
    expect((await customer.call("note", { colour: "blue" })).status).toBe(204);
    expect(customer.sessionId).not.toBe(old);
    expect(await whoIs(customer)).toEqual([undefined, { colour: "blue" }]);
  });

  test("is none of another id that lies under its key", async () => {
    const { visitor } = await start(base);
    const [customer, other] = [visitor(), visitor()];
    await customer.call("enter", { id: 7 });
    await other.call("enter", { id: 8 });
    const [first, second] = await stored();
    await storage.driver.setItemRaw?.(first?.key as string, second?.text, {});
    expect(await whoIs(customer)).toEqual([undefined, {}]);
    expect(await whoIs(other)).toEqual([8, {}]);
  });

  test("is not begun for a user whose id no cookie can carry", async () => {
    allowErrors();
    const { visitor } = await start(base);
    const answer = await visitor().call("enter", { id: "\ud800" });
    expect(answer).toMatchObject({ status: 500, setCookies: [] });
    expect(await ids()).toEqual([]);
  });
});

describe("the life of a session", () => {
  const storage = createFaultyDriver();
  const { start } = createMatrix("memory", "request", () => storage.driver);
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  const writes = () => storage.operations.filter(({ kind }) => kind !== "read").length;

  /** Starts a storefront, and two visitors with a session in it. */
  async function begin(session: StorefrontConfig["session"], id?: number) {
    const { visitor } = await start({ ...base, session });
    const visitors = [visitor(), visitor()] as const;
    for (const one of visitors) {
      if (id !== undefined) await one.call("enter", { id });
      await one.call("note", { begun: true });
    }
    storage.operations.length = 0;
    return visitors;
  }

  test.each([undefined, 7])(
    "ends maxAge after the last use, to the second (user: %s)",
    async (id) => {
      const [one, other] = await begin({ maxAge: 1000 }, id);
      pass(999);
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      pass(1);
      const late = await other.call("notes");
      expect(late).toMatchObject({ body: {}, setCookies: [] });
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      const old = other.sessionId;
      await other.call("note", { again: true });
      expect(other.sessionId).not.toBe(old);
      expect((await other.call("notes")).body).toEqual({ again: true });
      pass(998);
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      if (id !== undefined) {
        expect((await one.call("listSessions")).body.sessions).toMatchObject([{ current: true }]);
      }
    },
  );

  test("is extended by a read, but only once a tenth of it has passed", async () => {
    const [guest] = await begin({ maxAge: 1000 });
    pass(99);
    expect((await guest.call("getUser")).setCookies).toEqual([]);
    expect(writes()).toBe(0);
    pass(1);
    const { setCookies } = await guest.call("getUser");
    expect(setCookies).toEqual([expect.stringMatching(/; Max-Age=1000;/)]);
    expect(writes()).toBe(1);
    expect((await guest.call("getUser")).setCookies).toEqual([]);
    expect(writes()).toBe(1);
    pass(999);
    expect(await whoIs(guest)).toEqual([undefined, { begun: true }]);
  });

  test("ends after idleTimeout where nobody uses it, though the cookie stays longer", async () => {
    const [one, other] = await begin({ maxAge: 1000, idleTimeout: 100 }, 7);
    for (let used = 0; used < 15; used++) {
      pass(99);
      const { body, setCookies } = await one.call("getUser");
      expect([body.user?.id, ...setCookies]).toEqual([7, expect.stringMatching(/; Max-Age=1000;/)]);
      if (used > 0) expect(await whoIs(other)).toEqual([undefined, {}]);
    }
    pass(100);
    expect(await whoIs(one)).toEqual([undefined, {}]);
  });

  test("ends after absoluteTimeout however much it is used, and under a new id too", async () => {
    const limits = { maxAge: 1000, idleTimeout: 100, absoluteTimeout: 250 };
    const [customer] = await begin(limits, 7);
    const cookieOf = async (method: string, payload?: unknown) =>
      (await customer.call(method, payload)).setCookies.join();
    pass(90);
    expect(await cookieOf("getUser")).toContain("; Max-Age=160;");
    pass(90);
    const passwords = { oldPassword: "old", newPassword: "battery staple" };
    expect(await cookieOf("updatePassword", passwords)).toContain("; Max-Age=70;");
    pass(69);
    expect(await whoIs(customer)).toEqual([7, { begun: true }]);
    pass(1);
    expect(await whoIs(customer)).toEqual([undefined, {}]);
  });

  test("ends with the browser where the user is not to be remembered, and on the server too", async () => {
    const { visitor } = await start({ ...base, session: { maxAge: 1000 } });
    const customer = visitor();
    const cookieOf = async (method: string, payload?: unknown) =>
      (await customer.call(method, payload)).setCookies.join();
    const lasting = /Max-Age|Expires/i;
    const forgotten = await cookieOf("login", { ...as(7), rememberMe: false });
    expect(forgotten).toContain("; HttpOnly");
    expect(forgotten).not.toMatch(lasting);
    pass(500);
    const extended = await cookieOf("getUser");
    expect(extended).toContain(toCookie(customer.sessionId as string));
    expect(extended).not.toMatch(lasting);
    const passwords = { oldPassword: "old", newPassword: "battery staple" };
    expect(await cookieOf("updatePassword", passwords)).not.toMatch(lasting);
    const thief = customer.clone();
    expect(await cookieOf("login", { ...as(7), rememberMe: true })).toContain("; Max-Age=1000");
    expect(await whoIs(thief)).toEqual([undefined, {}]);
    await cookieOf("login", { ...as(7), rememberMe: false });
    pass(1000);
    expect(await whoIs(customer)).toEqual([undefined, {}]);
  });
});

// --- Internal helpers ---

interface Listed {
  readonly current: boolean;
  readonly userAgent?: string;
}

/** What express would set, calculated as its `cookie-signature` does. */
function toCookie(id: string, secret = testSecret): string {
  const signature = createHmac("sha256", secret).update(id).digest("base64").slice(0, 43);
  return encodeURIComponent(`s:${id}.${signature}`);
}

/** Whom a server takes a visitor for, and what it remembers; with another cookie, if there is one. */
async function whoIs(visitor: Visitor, cookie?: string): Promise<[unknown, unknown]> {
  if (cookie !== undefined) visitor.cookies.set(name, cookie);
  const user = await visitor.call("getUser");
  const notes = await visitor.call("notes");
  expect([user.status, notes.status]).toEqual([200, 200]);
  return [user.body.user?.id, notes.body];
}

function change(text: string, next: (value: object) => object): string {
  const envelope = JSON.parse(text);
  return JSON.stringify({ ...envelope, value: next(envelope.value) });
}

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

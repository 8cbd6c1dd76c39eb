import { expect, test } from "vitest";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createTestAuth, TestClient, testAccount as account, tokenHeader } from "../../_client.ts";
import { describeStorages, type Setup } from "../../_setup.ts";
import { ended, retired } from "../../_sessions.ts";
import { testMethods } from "../../fixtures/methods.ts";

const item = { variantId: 7, quantity: 1 };
const { password } = account;

const methods = {
  ...testMethods,
  greet: defineRpcMethod({ access: "public", handler: () => "hello" }),
  enterUnsigned: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
};

/** The calls that replace the session ID. */
const changes: Readonly<Record<string, readonly [method: string, payload: unknown]>> = {
  login: ["login", account],
  register: ["register", account],
  reauthenticate: ["reauthenticate", { password }],
  updatePassword: ["updatePassword", { oldPassword: password, newPassword: "battery staple" }],
  updateEmail: ["updateEmail", { email: "new@example.com" }],
};

describeStorages("a session ID within 30 seconds after its replacement", (setup) => {
  test.each(
    (["cookie", "bearer"] as const).flatMap((transport) =>
      Object.keys(changes).map((change) => [transport, change] as const),
    ),
  )("gives no access and begins no session, by %s, after %s", async (transport, change) => {
    const { client } = await start(setup, transport);
    const user = client();
    await user.call("login", account);
    const old = user.clone();
    expect((await user.call(...(changes[change] as [string, unknown]))).credentialUpdate).toBe(
      "sent",
    );
    for (const [method, payload] of [
      ["getUser", undefined],
      ["getBasket", undefined],
      ["addItemToBasket", item],
      ["note", { a: 1 }],
      ["logout", undefined],
      ["listSessions", undefined],
      ["enterUnsigned", undefined],
    ] as const) {
      const answer = await old.callRaw(method, payload);
      expect(answer, method).toMatchObject(retired);
      expect(answer.headers.has(tokenHeader), method).toBe(false);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
    expect((await user.call("getUser")).body.user.id).toBe(7);
    expect((await user.call("getBasket")).body.basket.itemCount).toBe(0);
  });

  test("gives access to public methods and to methods that sign in", async () => {
    const { client } = await start(setup, "cookie");
    const user = client();
    await user.call("addItemToBasket", item);
    const old = user.clone();
    await user.call("login", account);
    expect((await old.callRaw("greet")).body).toBe("hello");
    const wrong = await old.callRaw("login", { ...account, password: "wrong" });
    expect(wrong).toMatchObject({ status: 401, setCookies: [] });
    for (const [method, payload] of [
      ["login", account],
      ["register", account],
      ["enter", { id: 7 }],
    ] as const) {
      const again = old.clone();
      expect((await again.call(method, payload)).status, method).toBe(200);
      expect((await again.call("getUser")).body.user.id, method).toBe(7);
      // The guest's lines were merged once.
      expect((await again.call("getBasket")).body.basket.itemCount, method).toBe(1);
    }
    expect((await user.call("getUser")).body.user.id).toBe(7);
  });

  test("clears no token of a client that sends its login twice and fails once", async () => {
    const { client } = await start(setup, "bearer");
    const user = client();
    await user.call("addItemToBasket", item);
    const old = user.clone();
    await user.call("login", account);
    const wrong = await old.callRaw("login", { ...account, password: "wrong" });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.has(tokenHeader)).toBe(false);
  });

  test("doesn't hide an active session ID in the same request", async () => {
    const { client, send } = await start(setup, "cookie");
    const user = client();
    await user.call("addItemToBasket", item);
    const old = user.clone();
    await user.call("login", account);
    for (const cookie of [
      `${old.headers["cookie"]}; ${user.headers["cookie"]}`,
      `${user.headers["cookie"]}; ${old.headers["cookie"]}`,
    ]) {
      const browser = new TestClient("cookie", send);
      const answer = await browser.callRaw("getUser", undefined, { cookie });
      expect(answer.body.user.id).toBe(7);
    }
  });

  test("counts as unknown after 30 seconds", async () => {
    const clock = createTestClock();
    const { client } = await start(setup, "cookie", clock);
    const user = client();
    await user.call("login", account);
    const old = user.clone();
    await user.call("reauthenticate", { password });
    await clock.advance(29);
    expect(await old.callRaw("addItemToBasket", item)).toMatchObject(retired);
    await clock.advance(2);
    expect((await old.callRaw("getUser")).body).toEqual({});
    expect(await old.call("addItemToBasket", item)).toMatchObject({
      status: 200,
      credentialUpdate: "sent",
    });
  });
});

/** The ways to end a session from elsewhere. */
const ends: Readonly<Record<string, (user: TestClient) => Promise<unknown>>> = {
  "a logout": (user) => user.call("logout"),
  revokeSession: async (user) => {
    const { sessions } = (await user.call("listSessions")).body;
    await user.call("revokeSession", { handle: sessions[0].handle });
  },
  logoutEverywhere: (user) => user.call("logoutEverywhere"),
  destroySessionsForUserId: (user) => user.call("endSessions", { userId: 7 }),
  endUserSessions: (user) => callAdmin(user, "endUserSessions", { userId: 7 }),
  endAllSessions: (user) => callAdmin(user, "endAllSessions", { shopIds: [1001] }),
};

const token = "an-operator-of-tests-only-with-a-long-token";

async function callAdmin(user: TestClient, name: string, payload: unknown): Promise<void> {
  const { status } = await user.callRaw(`../admin/${name}`, payload, {
    authorization: `Bearer ${token}`,
  });
  expect(status).toBe(200);
}

describeStorages("a session within 30 seconds after its end", (setup) => {
  test.each(
    (["cookie", "bearer"] as const).flatMap((transport) =>
      Object.keys(ends).map((end) => [transport, end] as const),
    ),
  )("rejects a write, by %s, after %s, and reads as a guest", async (transport, end) => {
    const { client } = await start(setup, transport);
    const user = client();
    await user.call("login", account);
    const old = user.clone();
    await ends[end]?.(user);
    for (const [method, payload] of [
      ["addItemToBasket", item],
      ["note", { a: 1 }],
      ["enterUnsigned", undefined],
    ] as const) {
      const answer = await old.callRaw(method, payload);
      expect(answer, method).toMatchObject(ended);
      expect(answer.headers.has(tokenHeader), method).toBe(false);
    }
    expect((await old.callRaw("getUser")).body).toEqual({});
    expect((await old.callRaw("getBasket")).body.basket).toMatchObject({ key: null, items: [] });
    expect((await old.callRaw("greet")).body).toBe("hello");
    expect((await old.callRaw("logout")).status).toBe(204);
    expect(await old.call("login", account)).toMatchObject({
      status: 200,
      credentialUpdate: "sent",
    });
    expect((await old.call("getUser")).body.user.id).toBe(7);
  });

  test("rejects a write of a guest who logged out; after 30 seconds a write begins a new session", async () => {
    const clock = createTestClock();
    const { client } = await start(setup, "cookie", clock);
    const guest = client();
    await guest.call("addItemToBasket", item);
    const old = guest.clone();
    await guest.call("logout");
    expect(await old.callRaw("addItemToBasket", item)).toMatchObject(ended);
    await clock.advance(31);
    const { body, credentialUpdate } = await old.call("addItemToBasket", item);
    expect([body.basket.itemCount, credentialUpdate]).toEqual([1, "sent"]);
  });
});

// --- Internal helpers ---

async function start(setup: Setup, transport: "cookie" | "bearer", clock?: TestClock) {
  const session = { tokenMethod: transport };
  const config = { auth: createTestAuth(), methods, admin: { token }, session };
  const { send } = await setup.start(config, { clock });
  return { send, client: () => new TestClient(transport, send) };
}

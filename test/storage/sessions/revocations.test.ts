import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { isAfter, laterOf, openRevocations } from "../../../storage/sessions/revocations.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createSetup } from "../../_setup.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { describeTwoServers } from "../../fixtures/two-servers.ts";
import { testMethods } from "../../fixtures/methods.ts";

/** Checks a password, or makes an account, only when the barrier is open. */
function waitingAuth(barrier: Barrier): Auth {
  const slowly = async (credentials: { email: string; password: string }) => {
    const user = { id: Number.parseInt(credentials.email, 10), email: credentials.email };
    await barrier.pass();
    return user;
  };
  return { ...trustingAuth, login: slowly, register: slowly };
}

function secondsFromNow(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}

describeTwoServers("the end of all sessions of a user", ({ startTwo }) => {
  test.each([-90, 90])(
    "accepts later logins on a server whose clock is %i s off",
    async (seconds) => {
      const clocks = [createTestClock(), createTestClock(secondsFromNow(seconds))];
      const [here, there] = await startTwo({}, ...clocks);
      const user = here.client();
      await user.call("login", as(7));
      expect(
        (await user.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" }))
          .status,
      ).toBe(200);
      expect((await user.call("logoutEverywhere")).body).toEqual({ ended: 1 });
      const later = there.client();
      expect((await later.call("login", as(7))).status).toBe(200);
      expect((await later.call("getUser")).body.user.id).toBe(7);
    },
  );

  test.each([
    ["login", "updatePassword", { oldPassword: "old", newPassword: "battery staple" }],
    ["login", "logoutEverywhere", undefined],
    ["register", "logoutEverywhere", undefined],
  ])(
    "rejects a %s that was in progress during %s on another server",
    async (method, end, payload) => {
      for (const seconds of [-90, 0, 90]) {
        const barrier = new Barrier();
        const [here] = await startTwo({}, createTestClock(secondsFromNow(seconds)));
        const [there] = await startTwo({ auth: waitingAuth(barrier) }, createTestClock());
        const user = here.client();
        await user.call("login", as(7));
        const thief = there.client();
        const login = thief.call(method, as(7));
        await barrier.reached;
        expect((await user.call(end, payload)).status).toBe(200);
        barrier.open();
        expect(await login).toMatchObject({
          status: 409,
          body: { code: "session_changed" },
          setCookies: [],
        });
        expect((await thief.call("getUser")).body).toEqual({});
      }
    },
  );
});

describe("a method that is declared to sign in", () => {
  const driver = createMemoryDriver();
  const { start, startControlled } = createSetup("memory", "request", () => driver);

  test("fails if all of the user's sessions end while it runs", async () => {
    const barrier = new Barrier();
    const proveSlowly = defineRpcMethod({
      signsIn: true,
      async handler(_, { createUserBoundSession }) {
        await barrier.pass();
        return createUserBoundSession({ id: 7 });
      },
    });
    const { client } = await start({ methods: { ...testMethods, proveSlowly } });
    const login = client().call("proveSlowly");
    await barrier.reached;
    await client().call("endSessions", { userId: 7 });
    barrier.open();
    expect((await login).status).toBe(409);
  });

  test("can end all of the user's sessions itself, and log in after that", async () => {
    const takeOver = defineRpcMethod({
      signsIn: true,
      async handler(_, { createUserBoundSession, destroySessionsForUserId }) {
        await destroySessionsForUserId(7);
        await createUserBoundSession({ id: 7 });
      },
    });
    const { client } = await start({ methods: { ...testMethods, takeOver } });
    const user = client();
    expect((await user.call("takeOver")).status).toBe(204);
    expect((await user.call("getUser")).body.user.id).toBe(7);
  });

  test("fails after an end of its own if another end came before", async () => {
    const barrier = new Barrier();
    const takeOver = defineRpcMethod({
      signsIn: true,
      async handler(_, { createUserBoundSession, destroySessionsForUserId }) {
        await barrier.pass();
        await destroySessionsForUserId(7);
        await createUserBoundSession({ id: 7 });
      },
    });
    const { client } = await start({ methods: { ...testMethods, takeOver } });
    const login = client().call("takeOver");
    await barrier.reached;
    await client().call("endSessions", { userId: 7 });
    barrier.open();
    expect((await login).status).toBe(409);
  });

  test.each(["lost", "spoilt"])("works after the count of ends was %s", async (how) => {
    const { client } = await start({ methods: testMethods });
    const user = client();
    await user.call("enter", { id: 7 });
    for (const _ of [1, 2, 3]) await user.call("endSessions", { userId: 7 });
    if (how === "lost") await driver.removeItem?.("session-revocations:current", {});
    else await driver.setItemRaw?.("session-revocations:current", "spoilt", {});
    expect((await user.call("enter", { id: 7 })).status).toBe(200);
    await client().call("endSessions", { userId: 8 });
    expect((await user.call("login", { email: "a@example.com", password: "x" })).status).toBe(401);
    expect((await user.call("enter", { id: 7 })).status).toBe(200);
    expect((await user.call("getUser")).body.user.id).toBe(7);
  });

  test("fails if the count of ends was lost and all sessions ended while it ran", async () => {
    const barrier = new Barrier();
    const proveSlowly = defineRpcMethod({
      signsIn: true,
      async handler(_, { createUserBoundSession }) {
        await barrier.pass();
        return createUserBoundSession({ id: 7 });
      },
    });
    const { client } = await start({ methods: { ...testMethods, proveSlowly } });
    await client().call("endSessions", { userId: 7 });
    const login = client().call("proveSlowly");
    await barrier.reached;
    await driver.removeItem?.("session-revocations:current", {});
    await client().call("endSessions", { userId: 7 });
    barrier.open();
    expect((await login).status).toBe(409);
  });

  test("reads the count of ends once, from the storage, before its handler runs", async () => {
    const { client, storage } = await startControlled({ methods: testMethods, auth: trustingAuth });
    const before = storage.operations.length;
    await client().call("login", as(7));
    const reads = storage.operations
      .slice(before)
      .filter(({ key }) => key === "session-revocations:current");
    expect(reads).toEqual([{ kind: "read", key: "session-revocations:current" }]);
    expect(storage.operations[before]).toEqual(reads[0]);
  });
});

describeTwoServers("a method that is not declared to sign in", ({ startTwo }) => {
  test("also fails if all of the user's sessions end while it runs", async () => {
    const barrier = new Barrier();
    const proveSlowly = defineRpcMethod({
      async handler(_, { createUserBoundSession }) {
        await barrier.pass();
        return createUserBoundSession({ id: 7 });
      },
    });
    const [here, there] = await startTwo({ methods: { ...testMethods, proveSlowly } });
    await there.client().call("enter", { id: 8 });
    const login = here.client().call("proveSlowly");
    await barrier.reached;
    await there.client().call("endSessions", { userId: 7 });
    barrier.open();
    expect((await login).status).toBe(409);
  });
});

describe("the order of ends", () => {
  const store = openDocumentStore(createMemoryDriver(), createTestLog());
  const revocations = openRevocations(store, store.watch("session"));

  test("follows the order of their starts, without a clock", async () => {
    const before = await revocations.read();
    const first = await revocations.next();
    const between = await revocations.read();
    const second = await revocations.next();
    expect(isAfter(first, before)).toBeUndefined();
    expect([first, second].map((end) => isAfter(end, between))).toEqual([false, true]);
    expect(isAfter(undefined, before)).toBe(false);
    expect(laterOf(second, first)).toBe(second);
    expect(laterOf(first, second)).toBe(second);
    expect(laterOf(undefined, first)).toBe(first);
  });

  test("can't be known between marks of two series", () => {
    expect(isAfter({ series: "a", count: 7 }, { series: "b", count: 1 })).toBeUndefined();
  });
});

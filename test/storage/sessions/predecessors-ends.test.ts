import type { Driver } from "unstorage";
import createMemoryDriver from "unstorage/drivers/memory";
import { beforeEach, describe, expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { until } from "../../_documents.ts";
import { createSetup } from "../../_setup.ts";
import { createBarrier } from "../../fixtures/barrier.ts";
import { twinAt } from "../../fixtures/clients.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { describeTwoServers } from "../../fixtures/two-servers.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { observe, readStored, sessionIdOf, sessionsOf } from "../../fixtures/stored.ts";

// Each test has the name of a defect of earlier systems, and shows the opposite: when sessions end.

describeTwoServers("defect 2: a logout during a slow call is final", ({ startTwo, stored }) => {
  const writes = [
    ["note", { late: true }],
    ["updateUser", { firstName: "Late" }],
    ["updatePassword", { oldPassword: "correct horse", newPassword: "battery staple" }],
  ] as const;
  const ends = ["logout", "logoutEverywhere"] as const;
  const cases = ends.flatMap((end) =>
    writes.map(([method, payload]) => ({ end, method, payload })),
  );

  test.each(cases)("$end during $method", async ({ end, method, payload }) => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("login", as(7));
    const barrier = await createBarrier();
    const slow = client.clone().call("slowly", { barrier: barrier.url, method, payload });
    await barrier.reached();
    expect((await twinAt(two, client).call(end)).status).toBeLessThan(300);
    barrier.open();
    const late = await slow;
    expect(late).toMatchObject({ status: 409, body: { code: "session_changed" }, setCookies: [] });
    expect(sessionsOf(await stored("session:"))).toEqual([]);
    for (const { value } of await stored("user:")) expect(value.sessions).toEqual({});
    expect((await client.call("getUser")).body).toEqual({});
  });

  test("an extension doesn't revive the session", async () => {
    const clock = createTestClock();
    const [one, two] = await startTwo({ session: { maxAge: 100 } }, clock);
    const client = one.client();
    await client.call("login", as(7));
    await clock.advance(20);
    const barrier = await createBarrier();
    const slow = client.clone().call("slowly", { barrier: barrier.url, method: "notes" });
    await barrier.reached();
    await twinAt(two, client).call("logout");
    barrier.open();
    expect((await slow).setCookies).toEqual([]);
    expect(sessionsOf(await stored("session:"))).toEqual([]);
  });

  test("a guest's basket doesn't come back", async () => {
    const [one, two] = await startTwo();
    const guest = one.client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const barrier = await createBarrier();
    const item = { variantId: 8, quantity: 1 };
    const add = { barrier: barrier.url, method: "addItemToBasket", payload: item };
    const slow = guest.clone().call("slowly", add);
    await barrier.reached();
    await twinAt(two, guest).call("logout");
    barrier.open();
    expect(await slow).toMatchObject({ status: 409, setCookies: [] });
    expect(sessionsOf(await stored("session:"))).toEqual([]);
    for (const { value } of await stored("basket:")) expect(value.items).toEqual([]);
  });

  test("a login in progress fails if all of the user's sessions end", async () => {
    const [one, two] = await startTwo();
    const device = two.client();
    await device.call("login", as(7));
    const barrier = await createBarrier();
    const client = one.client();
    const slow = client.call("slowly", { barrier: barrier.url, method: "login", payload: as(7) });
    await barrier.reached();
    expect((await device.call("logoutEverywhere")).body).toEqual({ ended: 1 });
    barrier.open();
    expect(await slow).toMatchObject({ status: 409, setCookies: [] });
    expect(sessionsOf(await stored("session:"))).toEqual([]);
  });
});

describeTwoServers(
  "defect 7: a session that outlives its time",
  ({ startTwo, stored, lifetimes }) => {
    test("ends to the millisecond, and is removed from the storage", async () => {
      const clock = createTestClock();
      const [{ client }] = await startTwo({ session: { maxAge: 60 } }, clock);
      const [early, late] = [client(), client()];
      await early.call("addItemToBasket", { variantId: 7, quantity: 1 });
      await late.call("addItemToBasket", { variantId: 8, quantity: 1 });
      const lifetimesOfSessions = await lifetimes("session:");
      expect(lifetimesOfSessions.filter((lifetime) => lifetime < 1 || lifetime > 60_000)).toEqual(
        [],
      );
      // The generation of the shop's sessions stays for good, and all else ends.
      const endless = (await lifetimes("")).filter((lifetime) => lifetime === neverEnds);
      expect(endless).toHaveLength(lifetimesOfSessions.length === 0 ? 0 : 1);
      const outlived = late.sessionId as string;
      await clock.advance(59.999);
      expect((await early.call("getBasket")).body.basket.itemCount).toBe(1);
      await clock.advance(0.001);
      expect((await late.call("getBasket")).body).toEqual({ basket: emptyBasket });
      await late.call("note", { later: true });
      expect(late.sessionId).not.toBe(outlived);
      await clock.advance(300);
      if (lifetimesOfSessions.length === 0) {
        await until(async () => (await stored("")).length === 1);
        expect(await stored("session-generations:")).toHaveLength(1);
      }
    });
  },
);

describe("on one server", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = createMemoryDriver();
  });
  const { start, allowErrors } = createSetup("memory", "request", () => driver);
  const stored = (prefix = "") => readStored(driver, prefix);

  test("defect 14: a user's sessions end in every shop, and no other user's", async () => {
    const { client, lines } = await start({ auth: trustingAuth, methods: testMethods });
    const [phone, laptop, abroad, kept, other] = [1001, 1001, 1002, 1001, 1001].map(client);
    for (const own of [phone, laptop, abroad, kept]) await own?.call("login", as(7));
    await other?.call("login", as(70));
    const keep = [kept?.sessionId];
    expect((await other?.call("endSessions", { userId: "7", keep }))?.body).toBe(3);
    const left = sessionsOf(await stored("session:")).map(sessionIdOf);
    expect(left.toSorted()).toEqual([other?.sessionId, kept?.sessionId].toSorted());
    // The server recognized each record.
    expect(lines).toEqual([]);
    for (const ended of [phone, laptop, abroad]) {
      expect((await ended?.call("getUser"))?.body).toEqual({});
    }
    expect((await kept?.call("getUser"))?.body.user.id).toBe(7);
  });

  test("defect 14: a new password ends the other sessions, a logout only this one", async () => {
    const { client } = await start({ auth: trustingAuth });
    const [phone, laptop, tablet] = [client(), client(), client()];
    await phone.call("login", as(7));
    await laptop.call("login", as(7));
    const stolen = phone.clone();
    const passwords = { oldPassword: "correct horse", newPassword: "battery staple" };
    await phone.call("updatePassword", passwords);
    expect(phone.sessionId).not.toBe(stolen.sessionId);
    expect(sessionsOf(await stored("session:")).map(sessionIdOf)).toEqual([phone.sessionId]);
    await tablet.call("login", as(7));
    expect((await phone.call("logout")).status).toBe(204);
    expect(sessionsOf(await stored("session:")).map(sessionIdOf)).toEqual([tablet.sessionId]);
  });

  test("defect 15: a logout that the storage rejected can be repeated", async () => {
    allowErrors();
    const sessions = observe(driver);
    const { client } = await start({ auth: trustingAuth, storage: { session: sessions } });
    const phone = client();
    await phone.call("login", as(7));
    sessions.isBroken = true;
    expect((await phone.call("logout")).status).toBe(503);
    sessions.isBroken = false;
    expect((await phone.call("logout")).status).toBe(204);
    expect(sessionsOf(await stored("session:"))).toEqual([]);
  });

  test("defect 15: the server reports no end before it is stored", async () => {
    allowErrors();
    const sessions = observe(driver);
    const { client } = await start({ auth: trustingAuth, storage: { session: sessions } });
    const [phone, laptop] = [client(), client()];
    await phone.call("login", as(7));
    await laptop.call("login", as(7));
    sessions.isBroken = true;
    expect(await phone.call("logoutEverywhere")).toMatchObject({ status: 503, setCookies: [] });
    sessions.isBroken = false;
    expect((await phone.call("logoutEverywhere")).body).toEqual({ ended: 2 });
    expect((await laptop.call("getUser")).body).toEqual({});
    expect(sessionsOf(await stored("session:"))).toEqual([]);
  });
});

// --- Internal helpers ---

/** Redis's time to live of a key without an expiration. */
const neverEnds = -1;

const emptyBasket = { key: null, items: [], itemCount: 0, revision: 0 };

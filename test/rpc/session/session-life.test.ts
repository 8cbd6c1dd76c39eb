import { describe, expect, test } from "vitest";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { createTestClock, type StorageFaults } from "../../../server/testing/index.ts";
import { createSetup } from "../../_setup.ts";
import { retired, toCookie, whoIs } from "../../_sessions.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { testMethods } from "../../fixtures/methods.ts";

const clock = createTestClock();
const base = { methods: testMethods, auth: trustingAuth };

describe("the lifetime of a session", () => {
  const { startControlled } = createSetup("memory", "request", () => ({ driver: "memory" }));
  let storage: StorageFaults;

  const writes = () => storage.operations.filter(({ kind }) => kind !== "read").length;

  /** Starts a storefront, and two visitors with a session in it. */
  async function begin(session: StorefrontConfig["session"], id?: number) {
    const { client, ...controls } = await startControlled({ ...base, session }, clock);
    storage = controls.storage;
    const clients = [client(), client()] as const;
    for (const one of clients) {
      if (id !== undefined) await one.call("enter", { id });
      await one.call("note", { begun: true });
    }
    storage.operations.length = 0;
    return clients;
  }

  test.each([undefined, 7])(
    "ends maxAge after the last use, to the second (user: %s)",
    async (id) => {
      const [one, other] = await begin({ maxAge: 1000 }, id);
      await clock.advance(999);
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      await clock.advance(1);
      const late = await other.call("notes");
      expect(late).toMatchObject({ body: {}, setCookies: [] });
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      const old = other.sessionId;
      await other.call("note", { again: true });
      expect(other.sessionId).not.toBe(old);
      expect((await other.call("notes")).body).toEqual({ again: true });
      await clock.advance(998);
      expect(await whoIs(one)).toEqual([id, { begun: true }]);
      if (id !== undefined) {
        expect((await one.call("listSessions")).body.sessions).toMatchObject([{ current: true }]);
      }
    },
  );

  test("grows with a read after a tenth of it has passed", async () => {
    const [guest] = await begin({ maxAge: 1000 });
    await clock.advance(99);
    expect((await guest.call("getUser")).setCookies).toEqual([]);
    expect(writes()).toBe(0);
    await clock.advance(1);
    const { setCookies } = await guest.call("getUser");
    expect(setCookies).toEqual([expect.stringMatching(/; Max-Age=1000;/)]);
    expect(writes()).toBe(1);
    expect((await guest.call("getUser")).setCookies).toEqual([]);
    expect(writes()).toBe(1);
    await clock.advance(999);
    expect(await whoIs(guest)).toEqual([undefined, { begun: true }]);
  });

  test("ends after idleTimeout without a call, although the cookie lives longer", async () => {
    const [one, other] = await begin({ maxAge: 1000, idleTimeout: 100 }, 7);
    for (let used = 0; used < 15; used++) {
      await clock.advance(99);
      const { body, setCookies } = await one.call("getUser");
      expect([body.user?.id, ...setCookies]).toEqual([7, expect.stringMatching(/; Max-Age=1000;/)]);
      if (used > 0) expect(await whoIs(other)).toEqual([undefined, {}]);
    }
    await clock.advance(100);
    expect(await whoIs(one)).toEqual([undefined, {}]);
  });

  test("ends after absoluteTimeout despite calls and a new ID", async () => {
    const limits = { maxAge: 1000, idleTimeout: 100, absoluteTimeout: 250 };
    const [customer] = await begin(limits, 7);
    const cookieOf = async (method: string, payload?: unknown) =>
      (await customer.call(method, payload)).setCookies.join();
    await clock.advance(90);
    expect(await cookieOf("getUser")).toContain("; Max-Age=160;");
    await clock.advance(90);
    const passwords = { oldPassword: "old", newPassword: "battery staple" };
    expect(await cookieOf("updatePassword", passwords)).toContain("; Max-Age=70;");
    await clock.advance(69);
    expect(await whoIs(customer)).toEqual([7, { begun: true }]);
    await clock.advance(1);
    expect(await whoIs(customer)).toEqual([undefined, {}]);
  });

  test("ends with the browser, and on the server too, if rememberMe is false", async () => {
    const { client } = await startControlled({ ...base, session: { maxAge: 1000 } }, clock);
    const customer = client();
    const cookieOf = async (method: string, payload?: unknown) =>
      (await customer.call(method, payload)).setCookies.join();
    const lasting = /Max-Age|Expires/i;
    const forgotten = await cookieOf("login", { ...as(7), rememberMe: false });
    expect(forgotten).toContain("; HttpOnly");
    expect(forgotten).not.toMatch(lasting);
    await clock.advance(500);
    const extended = await cookieOf("getUser");
    expect(extended).toContain(toCookie(customer.sessionId as string));
    expect(extended).not.toMatch(lasting);
    const passwords = { oldPassword: "old", newPassword: "battery staple" };
    expect(await cookieOf("updatePassword", passwords)).not.toMatch(lasting);
    const thief = customer.clone();
    expect(await cookieOf("login", { ...as(7), rememberMe: true })).toContain("; Max-Age=1000");
    expect(await thief.call("getUser")).toMatchObject(retired);
    await cookieOf("login", { ...as(7), rememberMe: false });
    await clock.advance(1000);
    expect(await whoIs(customer)).toEqual([undefined, {}]);
  });
});

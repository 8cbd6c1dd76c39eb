import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionStore } from "../../../storage/sessions/session-store.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { SessionEndedError, type LoadedSession } from "../../../storage/sessions/session.ts";
import { UserSessionIndex } from "../../../storage/sessions/user-sessions.ts";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { countRecords, isMarkText, loadSession, retired } from "../../_sessions.ts";
import { createSetup, describeStorages, testSessionSettings } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const session = { maxAge: 86_400, renewAfter: 3600 };
const base = { methods: testMethods, session };

let clock: TestClock;
beforeEach(() => void (clock = createTestClock()));

async function whoIs(client: CookieClient): Promise<unknown> {
  return (await client.call("getUser")).body.user?.id;
}

describeStorages("a session's id", ({ start }) => {
  test("changes when it is older than renewAfter, and not before", async () => {
    const { client } = await start(base, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    const first = user.sessionId;
    await clock.advance(3599);
    await user.call("getUser");
    expect(user.sessionId).toBe(first);
    await clock.advance(1);
    expect((await user.call("getUser")).setCookies).toHaveLength(1);
    const second = user.sessionId;
    expect(second).toMatch(/^7:/);
    expect(second).not.toBe(first);
    await clock.advance(3599);
    await user.call("getUser");
    expect(user.sessionId).toBe(second);
    await clock.advance(1);
    await user.call("note", { colour: "red" });
    expect([first, second]).not.toContain(user.sessionId);
    expect((await user.call("notes")).body).toEqual({ colour: "red" });
    expect((await user.call("listSessions")).body.sessions).toMatchObject([{ current: true }]);
  });

  test("isn't renewed for a guest", async () => {
    const { client } = await start(base, { clock });
    const guest = client();
    await guest.call("note", { colour: "red" });
    const first = guest.sessionId;
    await clock.advance(4000);
    await guest.call("notes");
    expect(guest.sessionId).toBe(first);
  });

  test("accepts the old ID for 30 seconds after renewal, and keeps its writes", async () => {
    const { client } = await start(base, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    const late = user.clone();
    await clock.advance(3600);
    await user.call("getUser");
    await clock.advance(30);
    const answer = await late.call("note", { late: true });
    expect(answer.status).toBe(204);
    expect(late.sessionId).toBe(user.sessionId);
    expect((await user.call("notes")).body).toEqual({ late: true });
  });

  test("changes once for parallel calls", async () => {
    const { client } = await start(base, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    await clock.advance(3600);
    const tabs = Array.from({ length: 10 }, () => user.clone());
    await Promise.all(tabs.map((tab, n) => tab.call("note", { [`tab${n}`]: n })));
    await Promise.all(tabs.map((tab) => tab.call("getUser")));
    expect(new Set(tabs.map((tab) => tab.sessionId)).size).toBe(1);
    expect(Object.keys((await tabs[0]?.call("notes"))?.body)).toHaveLength(10);
    expect((await tabs[0]?.call("listSessions"))?.body.sessions).toHaveLength(1);
  });

  test("ends the session if it is used after its grace period, and reports the reuse", async () => {
    const reuses: unknown[] = [];
    const hooks = { "session.reuse_detected": (reuse: unknown) => void reuses.push(reuse) };
    const { client, lines } = await start({ ...base, hooks }, { clock });
    const [user, elsewhere] = [client(), client()];
    await user.call("enter", { id: 7 });
    await elsewhere.call("enter", { id: 7 });
    const { sessions } = (await user.call("listSessions")).body;
    const { handle } = sessions.find(({ current }: { current: boolean }) => current);
    const thief = user.clone();
    await clock.advance(3600);
    expect(await whoIs(user)).toBe(7);
    expect(await whoIs(user)).toBe(7);
    await clock.advance(31);
    expect(await whoIs(thief)).toBeUndefined();
    expect(await whoIs(user)).toBeUndefined();
    expect(await whoIs(elsewhere)).toBe(7);
    expect(reuses).toMatchObject([{ userId: 7, handle, shop: { shopId: 1001 } }]);
    expect(lines.filter(({ message }) => message.includes("had been replaced"))).toHaveLength(1);
    // The session has ended, so the server reports nothing more.
    expect(await whoIs(thief)).toBeUndefined();
    expect(reuses).toHaveLength(1);
  });

  test("becomes invalid after renewal once the session has ended", async () => {
    const reuses: unknown[] = [];
    const hooks = { "session.reuse_detected": (reuse: unknown) => void reuses.push(reuse) };
    const { client } = await start({ ...base, hooks }, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    const old = user.clone();
    await clock.advance(3600);
    await user.call("getUser");
    await user.call("logout");
    expect(await whoIs(old)).toBeUndefined();
    await clock.advance(31);
    expect(await whoIs(old)).toBeUndefined();
    expect(reuses).toEqual([]);
  });

  test("still names the session to keep if a parallel call renews it", async () => {
    let tab: CookieClient | undefined;
    const endOthers = defineRpcMethod({
      async handler(_, { sessionId, destroySessionsForUserId }) {
        await tab?.call("getUser");
        return destroySessionsForUserId(7, [sessionId as string]);
      },
    });
    const { client } = await start({ ...base, methods: { ...testMethods, endOthers } }, { clock });
    const [user, other] = [client(), client()];
    await user.call("enter", { id: 7 });
    await other.call("enter", { id: 7 });
    await clock.advance(3600);
    tab = user.clone();
    expect((await user.call("endOthers")).body).toBe(1);
    expect(await whoIs(user)).toBe(7);
    expect(await whoIs(other)).toBeUndefined();
  });

  test("becomes invalid after renewal if a new password rotates the ID", async () => {
    const auth = {
      login: async () => undefined,
      register: async () => ({ id: 7 }),
      changePassword: async () => true,
    };
    const { client } = await start({ ...base, auth }, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    const old = user.clone();
    await clock.advance(3600);
    await user.call("getUser");
    const renewed = user.clone();
    await user.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    expect(await old.call("getUser")).toMatchObject(retired);
    expect(await renewed.call("getUser")).toMatchObject(retired);
    expect(await whoIs(user)).toBe(7);
  });
});

describe("a renewal", () => {
  const faulty = createFaultyDriver();
  const time = createTestClock();
  const store = openDocumentStore(faulty.driver, { ...createTestLog(), clock: time });
  const generations = new SessionGenerations(store, store.watch("session"));
  const users = new UserSessionIndex(store, generations, "default");
  const sessions = new SessionStore(1001, users, testSessionSettings);
  const user = { id: "u1" };

  afterEach(() => faulty.heal());

  async function enter(): Promise<LoadedSession> {
    const login = { user };
    return (await sessions.bind(undefined, login)).session;
  }

  const endings: Record<string, (session: LoadedSession) => Promise<unknown>> = {
    "the end of all sessions": () => users.endAll(user.id),
    "the end of this one by its handle": ({ record }) => users.endOne(user.id, record.handle),
    "a logout": (old) => sessions.end(old),
  };

  test.each(Object.entries(endings))("doesn't restore a session that %s ends", async (_, end) => {
    for (let step = 1; step <= 12; step++) {
      const old = await enter();
      let seen = 0;
      let ended: Promise<unknown> | undefined;
      faulty.before = () => {
        if (++seen === step && ended === undefined) ended = end(old);
      };
      const renewed = await sessions.renew(old).catch((error: unknown) => {
        expect(error).toBeInstanceOf(SessionEndedError);
      });
      faulty.heal();
      await (ended ?? end(old));
      expect(await loadSession(sessions, old.record.id), `step ${step}`).toBeUndefined();
      if (renewed)
        expect(await loadSession(sessions, renewed.record.id), `step ${step}`).toBeUndefined();
      expect((await users.read(user.id)).sessions).toEqual({});
    }
  });

  test("loses no parallel write, at any of its steps", async () => {
    for (let step = 1; step <= 12; step++) {
      const old = await enter();
      let seen = 0;
      let written: Promise<unknown> | undefined;
      faulty.before = () => {
        if (++seen !== step || written !== undefined) return;
        written = sessions.update(old, (record) => ({ ...record, customData: { step } }));
      };
      const renewed = await sessions.renew(old);
      faulty.heal();
      written ??= sessions.update(old, (record) => ({ ...record, customData: { step } }));
      await written;
      const loaded = await loadSession(sessions, renewed.record.id);
      expect(loaded?.record.customData, `step ${step}`).toEqual({ step });
      await users.endAll(user.id);
      expect(countRecords(faulty), `step ${step}`).toBe(0);
    }
  });

  test("leaves the session active if it fails midway, and the session can be ended", async () => {
    for (let step = 1; step <= 8; step++) {
      const old = await enter();
      let seen = 0;
      faulty.before = () => {
        if (++seen >= step) throw new Error("out of order");
      };
      const renewed = await sessions.renew(old).catch(() => undefined);
      faulty.heal();
      const id = renewed?.record.id ?? old.record.id;
      expect((await loadSession(sessions, id))?.record.user, `step ${step}`).toEqual(user);
      await users.endAll(user.id);
      expect(await loadSession(sessions, id), `step ${step}`).toBeUndefined();
    }
  });

  test("leaves no session data under the old ID, also after a late write", async () => {
    const old = await enter();
    await sessions.renew(old);
    await sessions.update(old, (record) => ({ ...record, customData: { secret: 7 } }));
    const left = faulty.stored().get(`session:1001:${old.record.id.slice(3)}`);
    expect(isMarkText(left as string)).toBe(true);
    expect(left).not.toContain("secret");
    await users.endAll(user.id);
  });

  test("leaves no record if a client uses the old ID too late", async () => {
    const before = countRecords(faulty);
    const old = await enter();
    const renewed = await sessions.renew(old);
    expect((await loadSession(sessions, old.record.id))?.record.id).toBe(renewed.record.id);
    expect(countRecords(faulty)).toBe(before + 1);
    await sessions.update(renewed, sessions.noteFirstUse);
    await time.advance(31);
    const { handle } = old.record;
    const reuse = { userId: user.id, handle };
    expect(await sessions.lookUp(old.record.id)).toEqual({ state: "reused", reuse });
    expect(countRecords(faulty)).toBe(before);
    expect(await sessions.lookUp(old.record.id)).toEqual({ state: "ended" });
  });
});

describe("a call whose session is due for renewal", () => {
  const { startControlled } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("succeeds although the storage rejects the renewal", async () => {
    const { lines, client, storage } = await startControlled(base, clock);
    const user = client();
    await user.call("enter", { id: 7 });
    await clock.advance(3600);
    await user.call("getUser");
    const id = user.sessionId;
    await clock.advance(3600);
    // The first write of a session is that of the call, and the second begins the new ID.
    storage.fail("write", { key: "session:", nth: 2 });
    expect((await user.call("note", { kept: true })).status).toBe(204);
    expect(user.sessionId).toBe(id);
    expect(lines.map(({ message }) => message)).toContain(
      "A session's ID was not renewed; a later call tries again",
    );
    storage.heal();
    expect((await user.call("notes")).body).toEqual({ kept: true });
    expect(user.sessionId).not.toBe(id);
  });
});

import { afterEach, describe, expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionStore } from "../../../storage/sessions/session-store.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { SessionEndedError, type LoadedSession } from "../../../storage/sessions/session.ts";
import { UserSessionIndex } from "../../../storage/sessions/user-sessions.ts";
import { createFaultyDriver, outage } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { countRecords, loadSession } from "../../_sessions.ts";
import { testSessionSettings } from "../../_setup.ts";

const user = { id: "u1" };
const faulty = createFaultyDriver();
const clock = createTestClock();
const store = openDocumentStore(faulty.driver, { ...createTestLog(), clock });
const generations = new SessionGenerations(store, store.watch("session"));
const users = new UserSessionIndex(store, generations, "default");
const settings = { ...testSessionSettings, idleTimeout: 6000, absoluteTimeout: 60_000 };
const sessions = new SessionStore(1001, users, settings);

afterEach(async () => {
  faulty.heal();
  await users.endAll(user.id);
});

async function enter(): Promise<LoadedSession> {
  return (await sessions.bind(undefined, { user })).session;
}

type Move = (session: LoadedSession) => Promise<LoadedSession>;
const rotate: Move = (session) => sessions.rotate(session, { proved: true });
const renew: Move = (session) => sessions.renew(session);
const login: Move = async (session) => (await sessions.bind(session, { user })).session;

/** Changes the record of a session after each write of this server, as another server does. @returns the changes */
function keepWriting({ record: { id } }: LoadedSession): () => number {
  const path = `session:1001:${id.slice(-36)}`;
  const documents = faulty.driver.getInstance?.() as Map<string, string>;
  let writes = 0;
  faulty.after = ({ kind, key }) => {
    const document = JSON.parse(documents.get(path) as string);
    if (kind !== "write" || key === path || document.value.mark || writes === 500) return;
    writes++;
    const value = { ...document.value, customData: { writes } };
    documents.set(path, JSON.stringify({ ...document, version: `other-${writes}`, value }));
  };
  return () => writes;
}

/** Lets the loser of two moves fail in the one way that it may. */
async function settle(move: Promise<LoadedSession>): Promise<LoadedSession | undefined> {
  return move.catch((error: unknown) => {
    expect(error).toBeInstanceOf(SessionEndedError);
    return undefined;
  });
}

test.each([
  ["a rotation", rotate, "a rotation", rotate],
  ["a rotation", rotate, "a renewal", renew],
  ["a renewal", renew, "a rotation", rotate],
  ["a renewal", renew, "a renewal", renew],
])(
  "%s in parallel with %s leaves one session, which its index names",
  async (_, first, _with, other) => {
    for (let step = 1; step <= 12; step++) {
      const old = await enter();
      let seen = 0;
      let met: Promise<LoadedSession | undefined> | undefined;
      faulty.before = () => {
        if (++seen === step && met === undefined) met = settle(other(old));
      };
      const moved = [await settle(first(old)), await met].filter((one) => one !== undefined);
      faulty.heal();
      const place = `step ${step}`;
      expect(moved.length, place).toBeGreaterThan(0);
      const { sessions: listed } = await users.read(user.id);
      const [id = ""] = Object.values(listed).map((entry) => entry.id);
      expect(Object.keys(listed), place).toEqual([old.record.handle]);
      expect((await loadSession(sessions, id))?.record.user, place).toEqual(user);
      expect(countRecords(faulty), place).toBe(1);
      await users.endAll(user.id);
      for (const one of [old, ...moved]) {
        expect(await loadSession(sessions, one.record.id), place).toBeUndefined();
      }
    }
  },
);

test.each([
  ["a rotation", rotate],
  ["a renewal", renew],
])("%s in parallel with a login leaves no session that its index doesn't name", async (_, move) => {
  for (const [first, other] of [
    [login, move],
    [move, login],
  ] as const) {
    for (let step = 1; step <= 12; step++) {
      const old = await enter();
      let seen = 0;
      let met: Promise<LoadedSession | undefined> | undefined;
      faulty.before = () => {
        if (++seen === step && met === undefined) met = settle(other(old));
      };
      const moved = [await settle(first(old)), await met].filter((one) => one !== undefined);
      faulty.heal();
      expect(moved.length).toBeGreaterThan(0);
      await users.endAll(user.id);
      for (const one of [old, ...moved]) {
        const place = `step ${step}`;
        expect(await loadSession(sessions, one.record.id), place).toBeUndefined();
      }
    }
  }
});

test("a rotation continues from an ID that a parallel call has renewed, and invalidates the old ID", async () => {
  const old = await enter();
  const renewed = await sessions.renew(old);
  const rotated = await rotate(old);
  expect(await sessions.lookUp(old.record.id)).toEqual({ state: "retired" });
  expect(await sessions.lookUp(renewed.record.id)).toEqual({ state: "retired" });
  expect(await loadSession(sessions, rotated.record.id)).toBeDefined();
});

test.each([
  ["a rotation", rotate],
  ["a renewal", renew],
])(
  "%s that a killed server left halfway is done by the next, half a minute later",
  async (_, move) => {
    for (const nth of [2, 3]) {
      const old = await enter();
      let writes = 0;
      // From here on the server does nothing any more, not even tidy up.
      faulty.before = ({ kind }) => void (kind !== "read" && ++writes >= nth && outage());
      await expect(move(old)).rejects.toThrow();
      faulty.heal();
      expect(await loadSession(sessions, old.record.id)).toBeDefined();
      await clock.advance(31);
      const moved = await move(old);
      expect((await loadSession(sessions, moved.record.id))?.record.user).toEqual(user);
      const { sessions: listed } = await users.read(user.id);
      expect(listed[old.record.handle]?.id).toBe(moved.record.id);
      await users.endAll(user.id);
      expect(await loadSession(sessions, moved.record.id)).toBeUndefined();
    }
  },
);

test("a move that can still be running is not replaced", async () => {
  const old = await enter();
  faulty.before = ({ kind, key }) => {
    if (kind !== "read" && key.endsWith(old.record.id.slice(-36))) outage();
    if (kind === "remove") outage();
  };
  await expect(rotate(old)).rejects.toThrow();
  faulty.heal();
  await expect(rotate(old)).rejects.toThrow(SessionEndedError);
  expect(await loadSession(sessions, old.record.id)).toBeDefined();
});

test.each([
  ["rotated", rotate],
  ["renewed", renew],
])("a long call doesn't end the ID that its own was %s to", async (_, move) => {
  const old = await enter();
  const moved = await move(old);
  await clock.advance(40);
  await expect(sessions.renew(old)).rejects.toThrow(SessionEndedError);
  expect(await loadSession(sessions, moved.record.id)).toBeDefined();
});

describe("while another server writes all the time", () => {
  test.each([
    ["a rotation", rotate],
    ["a login", login],
  ])("%s ends soon, and keeps the last change", async (_, move) => {
    const old = await enter();
    const countWrites = keepWriting(old);
    const { record } = await move(old);
    expect(countWrites()).toBeGreaterThan(5);
    expect(countWrites()).toBeLessThan(50);
    const moved = await loadSession(sessions, record.id);
    expect(moved?.record.customData).toEqual({ writes: countWrites() });
    expect(await sessions.lookUp(old.record.id)).toEqual({ state: "retired" });
  });

  test("a renewal stops, and the old ID stays active", async () => {
    const old = await enter();
    const records = countRecords(faulty);
    const countWrites = keepWriting(old);
    await expect(renew(old)).rejects.toThrow(SessionEndedError);
    expect(countWrites()).toBeLessThan(50);
    faulty.heal();
    const session = await loadSession(sessions, old.record.id);
    expect(session?.record.customData).toEqual({ writes: countWrites() });
    expect(countRecords(faulty)).toBe(records);
    expect((await rotate(session as LoadedSession)).record.id).not.toBe(old.record.id);
  });
});

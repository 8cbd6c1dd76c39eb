import { afterEach, expect, test } from "vitest";
import { openDocumentStore } from "../../../storage/store.ts";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionStore } from "../../../storage/sessions/session-store.ts";
import type { UserSession } from "../../../storage/sessions/user-index.ts";
import { SessionEndedError, type LoadedSession } from "../../../storage/sessions/session.ts";
import { UserSessionIndex } from "../../../storage/sessions/user-sessions.ts";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { countRecords, loadSession } from "../../_sessions.ts";
import { testSessionSettings } from "../../_setup.ts";

const user = { id: "u1" };
const faulty = createFaultyDriver();
const store = openDocumentStore(faulty.driver, createTestLog());
const generations = new SessionGenerations(store, store.watch("session"));
const users = new UserSessionIndex(store, generations, "default");
const sessions = new SessionStore(1001, users, testSessionSettings);

afterEach(() => faulty.heal());

async function enter(): Promise<LoadedSession> {
  const login = { user };
  return (await sessions.bind(undefined, login)).session;
}

/** The operations that end a session while it gets a new ID. */
const endings: Record<string, (session: LoadedSession) => Promise<unknown>> = {
  "the end of all sessions": () => users.endAll(user.id),
  "the end of this one by its handle": ({ record }) => users.endOne(user.id, record.handle),
  "a logout": (session) => sessions.end(session),
};

test.each(Object.entries(endings))(
  "%s ends a session that gets a new ID in the meantime",
  async (_, end) => {
    // The end begins at each step of the rotation, one after another. It must win, or come before the new ID exists.
    for (let step = 1; step <= 12; step++) {
      const session = await enter();
      let seen = 0;
      let ended: Promise<unknown> | undefined;
      faulty.before = () => {
        if (++seen === step && ended === undefined) ended = end(session);
      };
      const moved = await sessions.rotate(session, { proved: true }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(SessionEndedError);
      });
      faulty.heal();
      await (ended ?? end(session));
      if (moved)
        expect(await loadSession(sessions, moved.record.id), `step ${step}`).toBeUndefined();
      expect(countRecords(faulty), `step ${step}`).toBe(0);
      expect((await users.read(user.id)).sessions).toEqual({});
    }
  },
);

test("a session with a new ID keeps its handle", async () => {
  const session = await enter();
  const moved = await sessions.rotate(session, { proved: true });
  expect(moved.record.handle).toBe(session.record.handle);
  expect(moved.record.id).not.toBe(session.record.id);
  expect(await loadSession(sessions, session.record.id)).toBeUndefined();
  await users.endAll(user.id);
});

test("the next revocation completes one that failed midway", async () => {
  await enter();
  faulty.before = ({ kind, key }) => {
    if (kind !== "read" && key.startsWith("session:")) throw new Error("out of order");
  };
  await expect(users.endAll(user.id)).rejects.toThrow();
  faulty.heal();
  await users.endAll(user.id);
  expect(countRecords(faulty)).toBe(0);
});

test("rejects a new ID for a session that has another ID already", async () => {
  const session = await enter();
  const { handle, id: first } = session.record;
  const entry = (await users.read(user.id)).sessions[handle] as UserSession;
  const second = await sessions.rotate(session, { proved: false });
  const third = await sessions.rotate(second, { proved: false });
  const stolen = { ...entry, id: "u1:stolen" };
  await expect(users.replaceId(user.id, handle, first, stolen)).rejects.toThrow(SessionEndedError);
  expect((await users.read(user.id)).sessions[handle]?.id).toBe(third.record.id);
  await users.endAll(user.id);
  expect(await sessions.lookUp(third.record.id)).toEqual({ state: "ended" });
});

import { afterEach, expect, test } from "vitest";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionStore } from "../../../storage/sessions/session-store.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { addMerges, type PendingMerge } from "../../../storage/sessions/user-index.ts";
import { UserSessionIndex } from "../../../storage/sessions/user-sessions.ts";
import { createFaultyDriver, outage } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testSessionSettings } from "../../_setup.ts";

const user = { id: "u1" };
const faulty = createFaultyDriver();
const store = openDocumentStore(faulty.driver, createTestLog());
const generations = new SessionGenerations(store, store.watch("session"));
const users = new UserSessionIndex(store, generations, "default");
const settings = { ...testSessionSettings, maxSessionsPerUser: 2 };
const sessions = new SessionStore(1001, users, settings);

afterEach(async () => {
  faulty.heal();
  await users.endAll(user.id);
});

async function addPendingMerges(merges: readonly PendingMerge[]): Promise<void> {
  await users.update(user.id, (index) => ({
    ...index,
    pendingMerges: addMerges(index.pendingMerges, merges),
  }));
}

test("the next login removes sessions from the index whose end failed midway", async () => {
  for (let round = 0; round < 5; round++) {
    await sessions.bind(undefined, { user });
    await sessions.bind(undefined, { user });
    faulty.before = ({ kind, key }) => {
      if (kind !== "read" && key.startsWith("session:")) outage();
    };
    await expect(users.endAll(user.id)).rejects.toThrow(StorageUnavailableError);
    faulty.heal();
    expect((await users.read(user.id)).ending).toHaveLength(2);
    await sessions.bind(undefined, { user });
    expect((await users.read(user.id)).ending).toEqual([]);
  }
});

test("a login works while a session whose end failed midway can't be ended", async () => {
  const { session } = await sessions.bind(undefined, { user });
  faulty.before = ({ kind, key }) => {
    if (kind !== "read" && key.endsWith(session.record.id.slice(-36))) outage();
  };
  await expect(users.endAll(user.id)).rejects.toThrow(StorageUnavailableError);
  await sessions.bind(undefined, { user });
  expect((await users.read(user.id)).ending).toHaveLength(1);
});

test("an index has at most 100 pending merges, and rejects a login that would add more", async () => {
  const merges = Array.from({ length: 100 }, (_, index): PendingMerge => {
    return { shopId: 1001, belonging: "basket", key: `k${index}`, expiresAt: Date.now() + 60_000 };
  });
  await addPendingMerges(merges);
  const guest = await sessions.createGuest("owner", (record) => ({
    ...record,
    belongings: { basket: "one-more" },
  }));
  await expect(sessions.bind(guest, { user })).rejects.toThrow(StorageUnavailableError);
  expect(await sessions.lookUp(guest.record.id)).toMatchObject({ state: "active" });
  expect((await users.read(user.id)).pendingMerges).toHaveLength(100);
  // A login with nothing to merge still works, and so does one that repeats a pending merge.
  await sessions.bind(undefined, { user });
  await addPendingMerges(merges.slice(0, 1));
  expect((await users.read(user.id)).pendingMerges).toHaveLength(100);
  await users.update(user.id, (index) => ({ ...index, pendingMerges: [] }));
});

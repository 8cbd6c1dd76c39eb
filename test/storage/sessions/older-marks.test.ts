import createMemoryDriver from "unstorage/drivers/memory";
import { expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionStore } from "../../../storage/sessions/session-store.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { UserSessionIndex } from "../../../storage/sessions/user-sessions.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testSessionSettings } from "../../_setup.ts";
import { readStored } from "../../fixtures/stored.ts";

const user = { id: "u1" };

/** A session whose ID an earlier version renewed: it kept a record that led to the new one. */
async function renewAsBefore() {
  const driver = createMemoryDriver();
  const { log, lines } = createTestLog();
  const clock = createTestClock();
  const store = openDocumentStore(driver, { log, clock });
  const generations = new SessionGenerations(store, store.watch("session"));
  const users = new UserSessionIndex(store, generations, "default");
  const sessions = new SessionStore(1001, users, testSessionSettings);
  const { session: old } = await sessions.bind(undefined, { user });
  const renewed = await sessions.renew(old);
  await sessions.update(renewed, (record) => ({ ...record, firstUsedAt: undefined }));
  const key = `session:1001:${old.record.id.slice(-36)}`;
  const [document] = await readStored(driver, key);
  const { version, expiresAt } = JSON.parse(document?.text as string);
  const { createdAt, handle } = old.record;
  const replacedBy = { id: renewed.record.id, at: clock.now() };
  const value = { createdAt, handle, ownerKey: "", user, replacedBy };
  await driver.setItemRaw?.(key, JSON.stringify({ version, expiresAt, value }), {});
  return { sessions, clock, lines, id: old.record.id, newId: renewed.record.id, handle };
}

test("an ID that an earlier version renewed resolves to the new one for 30 seconds", async () => {
  const { sessions, clock, lines, id, newId } = await renewAsBefore();
  await clock.advance(30);
  const lookup = await sessions.lookUp(id);
  expect(lookup).toMatchObject({ state: "active", isRenewed: true });
  expect(lookup.state === "active" && lookup.session.record.id).toBe(newId);
  expect(sessions.peek(id)).toBeUndefined();
  expect(lines).toEqual([]);
});

test("the reuse of an ID that an earlier version renewed ends its session", async () => {
  const { sessions, clock, id, newId, handle } = await renewAsBefore();
  await clock.advance(31);
  const reuse = { userId: user.id, handle };
  expect(await sessions.lookUp(id)).toEqual({ state: "reused", reuse });
  expect(await sessions.lookUp(newId)).toEqual({ state: "ended" });
});

import { graceMilliseconds, type SessionMark } from "./session-document.ts";
import { createSessionId, type SessionRecord } from "./session-record.ts";
import { maxCopies, successorOf, type SessionRecords } from "./session-records.ts";
import { isMark, SessionEndedError, type LoadedSession } from "./session.ts";

/*
 * Gives the sessions of one shop's users new IDs: stores the new record, then both IDs in the user's index, then the
 * mark that replaces the old record. If a step before the mark fails, the old ID stays valid.
 * @throws StorageUnavailableError from all functions
 */

/**
 * Rotates the ID at a change of privilege. From then on, the old ID resolves to no session.
 * @param proved whether the user has just authenticated again, so that the login is fresh
 * @throws SessionEndedError if the session ended or moved in the meantime
 */
export async function rotateSession(
  records: SessionRecords,
  old: LoadedSession,
  { proved }: { readonly proved: boolean },
): Promise<LoadedSession> {
  const now = records.clock.now();
  const fields = {
    idIssuedAt: now,
    firstUsedAt: undefined,
    ...(proved && { authenticatedAt: now }),
  };
  for (let current = old; ;) {
    try {
      return await move(records, current, fields, (_, to) => ({ mark: "retired", for: to }));
    } catch (error) {
      if (!(error instanceof SessionEndedError)) throw error;
      // If a parallel call has renewed the ID, rotate the new one.
      const found = await records.read(current.record.id);
      const isRenewed = found !== undefined && isMark(found) && found.mark === "renewed";
      const next = isRenewed ? await records.read(found.to) : undefined;
      if (next === undefined || isMark(next)) throw error;
      current = next;
    }
  }
}

/**
 * Renews an old ID. The old ID resolves to the new one until 30 seconds after the first use of the new one. Later
 * use of the old ID ends the session.
 * @throws SessionEndedError if the session ended or moved in the meantime, or if parallel calls change it too often
 */
export async function renewSession(
  records: SessionRecords,
  old: LoadedSession,
): Promise<LoadedSession> {
  const now = records.clock.now();
  const fields = { idIssuedAt: now, lastSeenAt: now, firstUsedAt: 0 };
  return move(records, old, fields, ({ handle, firstUsedAt, user }, to) => {
    const userId = assertUser(user).id;
    return { mark: "renewed", to, at: now, handle, userId, firstUsedAt };
  });
}

// --- Internal helpers ---

async function move(
  records: SessionRecords,
  old: LoadedSession,
  fields: Partial<SessionRecord>,
  toMark: (record: SessionRecord, to: string) => SessionMark,
): Promise<LoadedSession> {
  const id = createSessionId(assertUser(old.record.user), records.random);
  let session = await records.create({ ...old.record, ...fields, id });
  try {
    await enter(records, old, session);
    for (let copied = old, copies = 0; ; copies++) {
      const mark = toMark(copied.record, id);
      const isLast = copies >= maxCopies;
      // A call can follow the mark of a renewal and write under the new ID, so a copy must not come after it.
      if (isLast && mark.mark === "renewed") throw new SessionEndedError();
      const found = await (isLast
        ? records.overwrite(copied, mark)
        : records.replace(copied, mark));
      if (found !== undefined && successorOf(found) === id) return session;
      if (found === undefined || isMark(found)) throw new SessionEndedError();
      // A parallel call has written since the copy: copy its change, and try again.
      copied = found;
      const changed = await records.change(session, (record) => {
        return { ...found.record, ...fields, id, lastSeenAt: record.lastSeenAt };
      });
      if (isMark(changed)) throw new SessionEndedError();
      session = changed;
      if (isLast) return session;
    }
  } catch (error) {
    // No client received the new ID. If the index names it, the next attempt finds no record.
    await records.remove(session).catch(() => undefined);
    throw error;
  }
}

/** Writes the new ID into the user's index, and the old one as long as its record can exist. */
async function enter(
  records: SessionRecords,
  { record }: LoadedSession,
  created: LoadedSession,
): Promise<void> {
  const { id: from, handle } = record;
  const userId = assertUser(record.user).id;
  const entry = { ...records.toIndexEntry(created), replaces: from };
  const entered = await records.users.replaceId(userId, handle, from, entry);
  if (entered.id === entry.id) return;
  // A parallel call, or one that failed midway, is moving the session to another ID.
  await endBrokenOff(records, from, entered.id);
  const { id } = await records.users.replaceId(userId, handle, entered.id, entry);
  if (id !== entry.id) throw new SessionEndedError();
}

/** @throws SessionEndedError if the other ID is the session's, or can still become it */
async function endBrokenOff(records: SessionRecords, from: string, other: string): Promise<void> {
  const [self, found] = await Promise.all([records.read(from), records.read(other)]);
  if (self === undefined || isMark(self)) throw new SessionEndedError();
  if (found === undefined) return;
  if (isMark(found)) throw new SessionEndedError();
  // The call that created this record can still be running.
  const { idIssuedAt = 0 } = found.record;
  if (records.clock.now() - idIssuedAt <= graceMilliseconds) throw new SessionEndedError();
  await records.end(found);
}

function assertUser(user: SessionRecord["user"]): NonNullable<SessionRecord["user"]> {
  if (user === undefined) throw new TypeError("Only the session of a user gets a new ID");
  return user;
}

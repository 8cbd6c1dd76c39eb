import { StorageUnavailableError } from "../documents/unavailable.ts";
import type { RevocationMark } from "./revocations.ts";
import type { ListKind } from "./list-kind.ts";
import {
  createHandle,
  inheritedFields,
  type SessionRecord,
  type ShopUser,
} from "./session-record.ts";
import { maxCopies, successorOf, type SessionRecords } from "./session-records.ts";
import { isMark, type LoadedSession } from "./session.ts";
import { addMerges, type PendingMerge } from "./user-index.ts";

/** A login: the user, and the properties of the new session. */
export interface Login {
  readonly user: ShopUser;
  /** The mark of the last end when the login began, if it was read: a later end of this user's sessions fails it. */
  readonly since?: RevocationMark | undefined;
  readonly userAgent?: string | undefined;
  readonly transport?: string | undefined;
  readonly label?: string | undefined;
  readonly transient?: boolean | undefined;
  /** Other active sessions of the request: the login ends them, too. */
  readonly others?: readonly LoadedSession[] | undefined;
  /** Stores the data of the new session, for example its grant, before the session can be used. An error fails the login. */
  readonly prepare?: ((session: LoadedSession) => Promise<void>) | undefined;
}

/**
 * Creates a session that is bound to a user. It stores the new record first, and replaces the old one by a mark last.
 * If a step before that fails, the old session stays active.
 * @returns the session, and the user's pending merges of guest lists
 * @throws SessionEndedError if all of the user's sessions were ended since the login began;
 * SessionLimitError if the user may have no more sessions; StorageUnavailableError
 */
export async function bindSession(
  records: SessionRecords,
  old: LoadedSession | undefined,
  login: Login,
): Promise<{ session: LoadedSession; pendingMerges: readonly PendingMerge[] }> {
  const { users, shopId } = records;
  const { user, others = [], userAgent, transport, label, transient } = login;
  const since = login.since ?? (await users.generations.revocations.read());
  // Not a guest's session: the merge needs its grant, which ends when that session would have expired.
  const replaced = [old, ...others]
    .filter((one) => one?.record.user !== undefined)
    .map((one) => ({ shopId, handle: (one as LoadedSession).record.handle }));
  const left = old === undefined ? [] : toPendingMerges(old, shopId);
  let session = await records.begin(user, createHandle(records.random), (blank) => ({
    ...blank,
    ...(old && inherit(old.record, user)),
    ...(transient && { transient }),
    ...(left.length > 0 && { mergePending: true }),
  }));
  let pendingMerges: readonly PendingMerge[];
  try {
    await login.prepare?.(session);
    const entry = { ...records.toIndexEntry(session), userAgent, transport, label };
    pendingMerges = await users.add(user.id, session.record.handle, entry, {
      replaces: old?.record.handle,
      since,
      settings: records.settings,
      pendingMerges: left,
    });
    await users.endings?.note(replaced);
    for (const other of others) await retire(records, other, session);
    const copy = async (changed: LoadedSession) => {
      const inherited = inherit(changed.record, user);
      if (inherited !== undefined) {
        const found = await records.change(session, (record) => ({ ...record, ...inherited }));
        if (!isMark(found)) session = found;
      }
      const merges = toPendingMerges(changed, shopId);
      ({ pendingMerges } = await users.update(user.id, (index) => {
        return { ...index, pendingMerges: addMerges(index.pendingMerges, merges) };
      }));
    };
    if (old !== undefined) await retire(records, old, session, copy);
  } catch (error) {
    // No client received the session.
    await records.remove(session).catch(() => undefined);
    if (error instanceof StorageUnavailableError) await users.remove(session);
    const failed = [{ shopId, handle: session.record.handle }];
    await users.endings?.note(failed);
    void users.endings?.finish(failed);
    throw error;
  }
  void users.endings?.finish(replaced);
  if (pendingMerges.length === 0 || session.record.mergePending) return { session, pendingMerges };
  // Merges of an earlier login can be pending, too. If this note fails, the login is still valid.
  const noting = records.change(session, (record) => ({ ...record, mergePending: true }));
  const noted = await noting.catch(() => session);
  return { session: isMark(noted) ? session : noted, pendingMerges };
}

// --- Internal helpers ---

/**
 * Replaces a session's record by a mark, after its data is in the new session.
 * @param copy copies the change of a parallel call to the new session
 */
async function retire(
  records: SessionRecords,
  old: LoadedSession,
  created: LoadedSession,
  copy: (changed: LoadedSession) => Promise<void> = async () => {},
): Promise<void> {
  const mark = { mark: "retired", for: created.record.id } as const;
  for (let copied = old, copies = 0; ; copies++) {
    const isLast = copies >= maxCopies;
    const state = await (isLast ? records.overwrite(copied, mark) : records.replace(copied, mark));
    const found = await records.follow(state);
    if (found === undefined) break;
    if (isMark(found)) {
      // Another call gave the session a new ID: then the index names that, or the other call sees to it.
      if (found.mark === "retired" && successorOf(found) !== created.record.id) return;
      break;
    }
    copied = found;
    await copy(found);
    if (isLast && found === state) break;
  }
  await records.users.remove(old);
}

/** The fields that a login copies from the old record. A user never inherits them from another user. */
function inherit(old: SessionRecord, user: ShopUser): Partial<SessionRecord> | undefined {
  if (old.user !== undefined && String(old.user.id) !== String(user.id)) return undefined;
  const entries = inheritedFields.map((field) => [field, old[field]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The merges of a guest's basket and wishlist; a user's session has none. */
function toPendingMerges({ record, expiresAt }: LoadedSession, shopId: number): PendingMerge[] {
  if (record.user !== undefined) return [];
  return Object.entries(record.belongings ?? {}).map(([belonging, key]) => {
    const merge = { shopId, belonging: belonging as ListKind, key, expiresAt };
    return key === record.handle ? merge : { ...merge, handle: record.handle };
  });
}

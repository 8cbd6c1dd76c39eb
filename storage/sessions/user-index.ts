import { StorageUnavailableError } from "../documents/unavailable.ts";
import { generationOf, isOutdated, type Generations } from "./generations.ts";
import { isRevocationMark, type RevocationMark } from "./revocations.ts";
import type { ListKind } from "./list-kind.ts";
import { isObject } from "./session-record.ts";
import type { SessionSettings } from "./session.ts";

/** One session in the index of its user. Dates are epoch milliseconds. */
export interface UserSession {
  readonly id: string;
  /** The ID before this one. Its record can still exist if a change of ID failed midway. */
  readonly replaces?: string | undefined;
  readonly shopId: number;
  readonly generation?: string | undefined;
  /** In sessions of earlier versions, which counted generations; absent: 0. */
  readonly epoch?: number | undefined;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** At least the record's `expiresAt`. Otherwise the index drops an active session, and a revocation misses it. */
  readonly expiresAt: number;
  readonly userAgent?: string | undefined;
  /** The name of the transport that issued the session. */
  readonly transport?: string | undefined;
  /** A name from the login, for example the `sid` of an identity provider. Several sessions can have the same. */
  readonly label?: string | undefined;
}

/** A guest's basket or wishlist that is not yet merged into the user's. */
export interface PendingMerge {
  readonly shopId: number;
  readonly belonging: ListKind;
  readonly key: string;
  /** The handle of the guest's session, if it isn't the key. */
  readonly handle?: string | undefined;
  /** When the guest's document expires, in epoch milliseconds. */
  readonly expiresAt: number;
}

/** The sessions of one user in one storage, by handle. */
export interface UserIndex {
  readonly sessions: Readonly<Record<string, UserSession>>;
  /** Ended sessions whose records can still exist, because the call that ended them failed midway. */
  readonly ending?: readonly UserSession[] | undefined;
  readonly pendingMerges: readonly PendingMerge[];
  /** The previous index was lost: until this time, sessions that this index doesn't name can be active. */
  readonly incompleteUntil?: number | undefined;
  /** The last end of all sessions, in epoch milliseconds; 0: never. Never compared with another server's clock. */
  readonly endedAt: number;
  /** The mark of that end: a login that began before it fails. */
  readonly revocation?: RevocationMark | undefined;
}

/** A login for which a session is added to an index. */
export interface IndexedLogin {
  /** The handle of the session that the new one replaces. */
  readonly replaces: string | undefined;
  /** The mark of the last end when the login began. */
  readonly since: RevocationMark;
  readonly settings: SessionSettings;
  /** The guest's lists that wait for a merge. */
  readonly pendingMerges: readonly PendingMerge[];
}

/** The user has as many sessions as allowed. */
export class SessionLimitError extends Error {
  override readonly name = "SessionLimitError";
}

/** The IDs under which a session's record can exist. */
export function idsOf({ id, replaces }: UserSession): readonly string[] {
  return replaces === undefined ? [id] : [id, replaces];
}

/** The index of a user without sessions. */
export const emptyIndex: UserIndex = { sessions: {}, pendingMerges: [], endedAt: 0 };

/** Whether a stored value is an index with valid entries: half an index hides sessions. */
export function isUserIndex(value: unknown): value is UserIndex {
  if (!isObject(value)) return false;
  const { sessions, ending: over = [], pendingMerges } = value;
  const { endedAt, revocation, incompleteUntil } = value;
  return (
    isObject(sessions) &&
    Object.values(sessions).every(isUserSession) &&
    Array.isArray(over) &&
    over.every(isUserSession) &&
    Array.isArray(pendingMerges) &&
    pendingMerges.every(isPendingMerge) &&
    Number.isFinite(endedAt) &&
    (incompleteUntil === undefined || Number.isFinite(incompleteUntil)) &&
    (revocation === undefined || isRevocationMark(revocation))
  );
}

/** The entry of one session, if there is one. */
export function entryOf({ sessions }: UserIndex, handle: string): UserSession | undefined {
  return Object.hasOwn(sessions, handle) ? sessions[handle] : undefined;
}

/**
 * The sessions that must end before a new one can begin.
 * @param replaced the handle of the session that the new one replaces
 * @throws SessionLimitError if the policy rejects the login instead
 */
export function findExcess(
  { sessions }: UserIndex,
  replaced: string | undefined,
  { maxSessionsPerUser, sessionLimitPolicy }: SessionSettings,
): readonly UserSession[] {
  const others = Object.entries(sessions).filter(([handle]) => handle !== replaced);
  const tooMany = others.length + 1 - maxSessionsPerUser;
  if (tooMany <= 0) return [];
  if (sessionLimitPolicy === "refuse")
    throw new SessionLimitError("The user has as many sessions as allowed");
  const oldestFirst = others.map(([, session]) => session);
  return oldestFirst.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).slice(0, tooMany);
}

/** The index after the end of some sessions, whose records still exist. */
export function withEnding(index: UserIndex, over: readonly UserSession[]): UserIndex {
  if (over.length === 0) return index;
  const ids = over.map(({ id }) => id);
  const sessions = Object.entries(index.sessions).filter(([, { id }]) => !ids.includes(id));
  return {
    ...index,
    sessions: Object.fromEntries(sessions),
    ending: [...(index.ending ?? []), ...over],
  };
}

/**
 * Adds pending merges, each once.
 * @throws StorageUnavailableError if there are too many, because the storage of baskets has failed for a long time
 */
export function addMerges(
  noted: readonly PendingMerge[],
  merges: readonly PendingMerge[],
): readonly PendingMerge[] {
  const known = noted.filter(({ belonging, key }) =>
    merges.every((merge) => merge.belonging !== belonging || merge.key !== key),
  );
  if (merges.length > 0 && known.length + merges.length > maxPendingMerges) {
    throw new StorageUnavailableError(
      `${known.length} baskets and wishlists of guests wait for a merge into one user's. Expected at most ${maxPendingMerges}. Check why the storage of baskets rejects them.`,
    );
  }
  return [...known, ...merges];
}

/** The index without expired entries, and without sessions of earlier generations. */
export function withoutPast(
  index: UserIndex = emptyIndex,
  generations: Generations,
  now: number,
): UserIndex {
  const alive = Object.entries(index.sessions).filter(([, session]) => {
    const { expiresAt, shopId } = session;
    // If a shop's generation is unknown, it may have none yet, so its sessions stay in the index.
    const isKnown = generationOf(generations, shopId) !== undefined;
    return expiresAt > now && !(isKnown && isOutdated(generations, shopId, session));
  });
  return {
    ...index,
    sessions: Object.fromEntries(alive),
    ending: index.ending?.filter((session) => session.expiresAt > now),
    pendingMerges: index.pendingMerges.filter((merge) => merge.expiresAt > now),
  };
}

/** When every entry of an index has expired, in epoch milliseconds. */
export function endOf(index: UserIndex): number {
  return Math.max(
    index.endedAt + endedAtMemory,
    index.incompleteUntil ?? 0,
    ...Object.values(index.sessions).map((session) => session.expiresAt),
    ...(index.ending ?? []).map((session) => session.expiresAt),
    ...index.pendingMerges.map((merge) => merge.expiresAt),
  );
}

// --- Internal helpers ---

/** The most pending merges; each guest adds two at most. */
const maxPendingMerges = 100;

/** How long the index keeps the last end, so that a login which began before it fails, in milliseconds. */
const endedAtMemory = 3_600_000;

function isUserSession(value: unknown): value is UserSession {
  if (!isObject(value)) return false;
  const { id, replaces, shopId, generation, epoch, createdAt, lastSeenAt, expiresAt } = value;
  const { userAgent, transport, label } = value;
  return (
    typeof id === "string" &&
    Number.isSafeInteger(shopId) &&
    [createdAt, lastSeenAt, expiresAt].every(Number.isFinite) &&
    (epoch === undefined || Number.isSafeInteger(epoch)) &&
    [replaces, generation, userAgent, transport, label].every(isOptionalString)
  );
}

function isPendingMerge(value: unknown): value is PendingMerge {
  if (!isObject(value)) return false;
  const { shopId, belonging, key, handle, expiresAt } = value;
  return (
    Number.isSafeInteger(shopId) &&
    isOptionalString(handle) &&
    (belonging === "basket" || belonging === "wishlist") &&
    typeof key === "string" &&
    Number.isFinite(expiresAt)
  );
}

function isOptionalString(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

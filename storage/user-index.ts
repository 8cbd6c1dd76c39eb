import { generationOf, isOver, type Generations } from "./generations.ts";
import { isRevocationMark, type RevocationMark } from "./revocations.ts";
import { StorageUnavailableError } from "./unavailable.ts";
import type { Belonging, SessionTransportName } from "./session-record.ts";

/** One session in the index of its user. Dates are epoch milliseconds. */
export interface UserSession {
  readonly id: string;
  /** The ID before this one. Its record may still be there, if a change of ID broke off. */
  readonly replaces?: string | undefined;
  readonly shopId: number;
  readonly generation?: string | undefined;
  /** In sessions of versions that counted generations; absent: 0. */
  readonly epoch?: number | undefined;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** Never before the record's own end, or the session could not be found to be ended. */
  readonly expiresAt: number;
  readonly userAgent?: string | undefined;
  readonly transport?: SessionTransportName | undefined;
}

/** A basket or wishlist that a guest left, and that is not yet the user's. */
export interface PendingMerge {
  readonly shopId: number;
  readonly belonging: Belonging;
  readonly key: string;
  /** Epoch milliseconds; by then the guest's documents are gone. */
  readonly expiresAt: number;
}

/** The sessions of one user in one storage, by handle. */
export interface UserIndex {
  readonly sessions: Readonly<Record<string, UserSession>>;
  /** Sessions that are over, whose records may still be there: who broke off here left them to the next. */
  readonly ending?: readonly UserSession[] | undefined;
  readonly pendingMerges: readonly PendingMerge[];
  /** The index before was lost: until then there may be sessions that this one does not name. */
  readonly incompleteUntil?: number | undefined;
  /** When all sessions were last ended, in epoch milliseconds; 0: never. Compared with no other clock. */
  readonly endedAt: number;
  /** Which end that was: a login that began before it is refused. */
  readonly revocation?: RevocationMark | undefined;
}

/** The IDs that a session may still be found under. */
export function idsOf({ id, replaces }: UserSession): readonly string[] {
  return replaces === undefined ? [id] : [id, replaces];
}

/** The index of a user without sessions. */
export const emptyIndex: UserIndex = { sessions: {}, pendingMerges: [], endedAt: 0 };

/** Whether something read from a storage is an index, with all that is in it: half an index hides sessions. */
export function isUserIndex(value: unknown): value is UserIndex {
  if (!isObject(value)) return false;
  const {
    sessions,
    ending: over = [],
    pendingMerges,
    endedAt,
    revocation,
    incompleteUntil,
  } = value;
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

/** The index with sessions on their way out; they are no more, but for their records. */
export function ending(index: UserIndex, over: readonly UserSession[]): UserIndex {
  if (over.length === 0) return index;
  const ids = over.map(({ id }) => id);
  const sessions = Object.entries(index.sessions).filter(([, { id }]) => !ids.includes(id));
  return {
    ...index,
    sessions: Object.fromEntries(sessions),
    ending: [...(index.ending ?? []), ...over],
  };
}

/** The index without one session. */
export function without(index: UserIndex, handle: string): UserIndex {
  const { [handle]: _, ...sessions } = index.sessions;
  return { ...index, sessions };
}

/**
 * Pending merges with more of them, each once.
 * @throws StorageUnavailableError if there are too many: then the storage of baskets has been failing for long
 */
export function union(
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

/** The index without what has expired, and without sessions of generations that are over. */
export function withoutPast(index: UserIndex = emptyIndex, generations: Generations): UserIndex {
  const now = Date.now();
  const alive = Object.entries(index.sessions).filter(
    ([, session]) => session.expiresAt > now && !isPast(generations, session),
  );
  return {
    ...index,
    sessions: Object.fromEntries(alive),
    ending: index.ending?.filter((session) => session.expiresAt > now),
    pendingMerges: index.pendingMerges.filter((merge) => merge.expiresAt > now),
  };
}

/** When all that an index holds has expired, in epoch milliseconds. */
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

/** Each guest adds two at most. */
const maxPendingMerges = 100;

/** How long a login that began before the last end of all is still refused, in milliseconds. */
const endedAtMemory = 3_600_000;

function isUserSession(value: unknown): value is UserSession {
  if (!isObject(value)) return false;
  const { id, replaces, shopId, generation, epoch, createdAt, lastSeenAt, expiresAt } = value;
  const { userAgent, transport } = value;
  return (
    typeof id === "string" &&
    Number.isSafeInteger(shopId) &&
    [createdAt, lastSeenAt, expiresAt].every(Number.isFinite) &&
    (epoch === undefined || Number.isSafeInteger(epoch)) &&
    [replaces, generation, userAgent, transport].every(isOptionalString)
  );
}

function isPendingMerge(value: unknown): value is PendingMerge {
  if (!isObject(value)) return false;
  const { shopId, belonging, key, expiresAt } = value;
  return (
    Number.isSafeInteger(shopId) &&
    (belonging === "basket" || belonging === "wishlist") &&
    typeof key === "string" &&
    Number.isFinite(expiresAt)
  );
}

/** A shop whose generation is unknown may have none yet: then its sessions stay listed, to be ended. */
function isPast(generations: Generations, session: UserSession): boolean {
  const isKnown = generationOf(generations, session.shopId) !== undefined;
  return isKnown && isOver(generations, session.shopId, session);
}

function isOptionalString(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

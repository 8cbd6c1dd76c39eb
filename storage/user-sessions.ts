import type { Documents, DocumentStore, Snapshot } from "./documents.ts";
import { toKeySegment } from "./key.ts";
import { isSessionRecord, sessionKey, type Belonging } from "./session-record.ts";

/** One session in the index of its user. Dates are epoch milliseconds. */
export interface UserSession {
  readonly id: string;
  readonly shopId: number;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** Never before the record's own end, or the session could not be found to be ended. */
  readonly expiresAt: number;
  readonly userAgent?: string | undefined;
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
  /** When all sessions were last ended, in epoch milliseconds; 0: never. */
  readonly endedAt: number;
}

/** A user's sessions were ended while one was being made or moved. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
}

/**
 * The index of each user's sessions in one storage, for the shops of one realm.
 *
 * One document per user, so that what concerns a user costs that user's sessions only.
 * All methods throw StorageUnavailableError.
 */
export class UserSessions {
  readonly #store: DocumentStore;
  readonly #indexes: Documents<UserIndex>;

  constructor(store: DocumentStore, realm: string) {
    this.#store = store;
    this.#indexes = store.collection(`user:${toKeySegment(realm)}`, isUserIndex);
  }

  /** Reads a user's index, without what has expired. */
  async read(userId: string | number): Promise<Snapshot<UserIndex>> {
    const snapshot = await this.#indexes.get(toKeySegment(userId));
    return { ...snapshot, value: withoutExpired(snapshot.value) };
  }

  /**
   * Changes a user's index atomically.
   * @param change may refuse by throwing
   */
  update(
    userId: string | number,
    change: (index: UserIndex) => UserIndex,
  ): Promise<Snapshot<UserIndex>> {
    return this.#indexes.update(toKeySegment(userId), (current) => {
      const before = withoutExpired(current);
      const after = change(before);
      return after === before ? "keep" : { set: after, expiresAt: endOf(after) };
    });
  }

  /** Takes one session out of a user's index. */
  async remove(userId: string | number, handle: string): Promise<void> {
    await this.update(userId, (index) => without(index, handle));
  }

  /**
   * Ends a user's sessions in every shop of the realm, but for those whose ids are to be kept.
   *
   * They leave the index in the change that says so: none can be moved to another id any more.
   * @returns the ids that were ended, and when
   */
  async endAll(
    userId: string | number,
    sessionsToKeep: readonly string[],
  ): Promise<{ ended: string[]; endedAt: number }> {
    const endedAt = Date.now();
    let ended: readonly UserSession[] = [];
    const { value } = await this.update(userId, (index) => {
      ended = Object.values(index.sessions).filter(({ id }) => !sessionsToKeep.includes(id));
      return { ...ending(index, ended), endedAt: Math.max(endedAt, index.endedAt) };
    });
    await this.#finish(userId, value?.ending ?? []);
    return { ended: ended.map(({ id }) => id), endedAt };
  }

  /** Ends one session of a user. @returns its id, or `undefined` where there is none of that handle */
  async endOne(userId: string | number, handle: string): Promise<string | undefined> {
    let ended: UserSession | undefined;
    const { value } = await this.update(userId, (index) => {
      ended = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
      return ended === undefined ? index : ending(index, [ended]);
    });
    if (ended !== undefined) await this.#finish(userId, value?.ending ?? []);
    return ended?.id;
  }

  /** Forgets sessions on their way out whose records are gone. */
  async forgetEnded(userId: string | number, ids: readonly string[]): Promise<void> {
    await this.update(userId, (index) => ({
      ...index,
      ending: index.ending?.filter(({ id }) => !ids.includes(id)),
    }));
  }

  async #finish(userId: string | number, over: readonly UserSession[]): Promise<void> {
    if (over.length === 0) return;
    await Promise.all(over.map((session) => this.#removeRecord(session)));
    await this.forgetEnded(
      userId,
      over.map(({ id }) => id),
    );
  }

  async #removeRecord(session: UserSession): Promise<void> {
    const key = sessionKey(session.id);
    if (key === undefined) return;
    await this.#store.collection(`session:${session.shopId}`, isSessionRecord).take(key);
  }
}

// --- Internal helpers ---

/** How long an ended login is still recognised as older than the end, in milliseconds. */
const endedAtMemory = 3_600_000;

const emptyIndex: UserIndex = { sessions: {}, pendingMerges: [], endedAt: 0 };

function isUserIndex(value: unknown): value is UserIndex {
  if (typeof value !== "object" || value === null) return false;
  const { sessions, pendingMerges, endedAt } = value as Record<string, unknown>;
  return (
    typeof sessions === "object" &&
    sessions !== null &&
    Array.isArray(pendingMerges) &&
    typeof endedAt === "number"
  );
}

/** The index with sessions on their way out; they are no more, but for their records. */
export function ending(index: UserIndex, over: readonly UserSession[]): UserIndex {
  const ids = over.map(({ id }) => id);
  const sessions = Object.entries(index.sessions).filter(([, { id }]) => !ids.includes(id));
  return {
    ...index,
    sessions: Object.fromEntries(sessions),
    ending: [...(index.ending ?? []), ...over],
  };
}

function without(index: UserIndex, handle: string): UserIndex {
  const { [handle]: _, ...sessions } = index.sessions;
  return { ...index, sessions };
}

function withoutExpired(index: UserIndex = emptyIndex): UserIndex {
  const now = Date.now();
  const alive = Object.entries(index.sessions).filter(([, session]) => session.expiresAt > now);
  return {
    ...index,
    sessions: Object.fromEntries(alive),
    ending: index.ending?.filter((session) => session.expiresAt > now),
    pendingMerges: index.pendingMerges.filter((merge) => merge.expiresAt > now),
  };
}

function endOf(index: UserIndex): number {
  return Math.max(
    index.endedAt + endedAtMemory,
    ...Object.values(index.sessions).map((session) => session.expiresAt),
    ...(index.ending ?? []).map((session) => session.expiresAt),
    ...index.pendingMerges.map((merge) => merge.expiresAt),
  );
}

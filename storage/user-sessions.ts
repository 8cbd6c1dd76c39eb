import type { Documents, DocumentStore } from "./documents.ts";
import { isPast, type EpochBook, type Epochs } from "./epochs.ts";
import { toKeySegment } from "./key.ts";
import { RecordDocuments } from "./record-documents.ts";
import { sessionKey, type Belonging, type SessionTransportName } from "./session-record.ts";

/** One session in the index of its user. Dates are epoch milliseconds. */
export interface UserSession {
  readonly id: string;
  /** The id before, where the last change of it was a renewal: its record leads to this one. */
  readonly replaces?: string | undefined;
  readonly shopId: number;
  /** Absent: 0. */
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
  /** When all sessions were last ended, in epoch milliseconds; 0: never. */
  readonly endedAt: number;
}

/** How many sessions a user may have at a time, and what a login beyond that does. */
export interface SessionLimit {
  readonly maxSessionsPerUser: number;
  /** Ends the session that was used least lately, or refuses the login. */
  readonly sessionLimitPolicy: "endOldest" | "refuse";
}

/** What there is to know of a session that enters its user's index. */
export interface Entrance {
  readonly handle: string;
  /** The handle of the session that it takes the place of. */
  readonly replaces: string | undefined;
  /** When the login began, in epoch milliseconds. */
  readonly startedAt: number;
  readonly limit: SessionLimit;
  /** What the guest before it left. */
  readonly pendingMerges: readonly PendingMerge[];
}

/** A user's sessions were ended while one was being made or moved. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
}

/** The user has as many sessions as they may. */
export class SessionLimitError extends Error {
  override readonly name = "SessionLimitError";
}

/**
 * The index of each user's sessions in one storage, for the shops of one realm.
 *
 * One document per user, so that what concerns a user costs that user's sessions only.
 * All methods throw StorageUnavailableError.
 */
export class UserSessions {
  readonly #store: DocumentStore;
  readonly #epochs: EpochBook;
  readonly #indexes: Documents<UserIndex>;

  constructor(store: DocumentStore, epochs: EpochBook, realm: string) {
    this.#store = store;
    this.#epochs = epochs;
    this.#indexes = store.collection(`user:${toKeySegment(realm)}`, isUserIndex);
  }

  /** Reads a user's index, without what is over. */
  async read(userId: string | number): Promise<UserIndex> {
    const [{ value }, epochs] = await Promise.all([
      this.#indexes.get(toKeySegment(userId)),
      this.#epochs.current(),
    ]);
    return withoutPast(value, epochs);
  }

  /**
   * Changes a user's index atomically.
   * @param change may refuse by throwing
   */
  async update(
    userId: string | number,
    change: (index: UserIndex) => UserIndex,
  ): Promise<UserIndex> {
    const epochs = await this.#epochs.current();
    const { value = emptyIndex } = await this.#indexes.update(toKeySegment(userId), (current) => {
      const before = withoutPast(current, epochs);
      const after = change(before);
      return after === before ? "keep" : { set: after, expiresAt: endOf(after) };
    });
    return value;
  }

  /**
   * Enters a new session, and ends those that are too many.
   * @returns the merges that the user is owed
   * @throws SessionEndedError where all of the user's sessions were ended since the login began;
   * SessionLimitError where there may be no more
   */
  async enter(
    userId: string | number,
    entry: UserSession,
    { handle, replaces, startedAt, limit, pendingMerges }: Entrance,
  ): Promise<readonly PendingMerge[]> {
    let excess: readonly UserSession[] = [];
    const index = await this.update(userId, (current) => {
      if (current.endedAt > startedAt) {
        throw new SessionEndedError("The user's sessions were ended during the login");
      }
      excess = findExcess(current, replaces, limit);
      const { sessions, ...rest } = ending(current, excess);
      return {
        ...rest,
        sessions: { ...sessions, [handle]: entry },
        pendingMerges: union(rest.pendingMerges, pendingMerges),
      };
    });
    await this.#finish(userId, excess);
    return index.pendingMerges;
  }

  /** Notes merges that a user is owed. @returns all of them */
  async owe(
    userId: string | number,
    merges: readonly PendingMerge[],
  ): Promise<readonly PendingMerge[]> {
    const { pendingMerges } = await this.update(userId, (index) => ({
      ...index,
      pendingMerges: union(index.pendingMerges, merges),
    }));
    return pendingMerges;
  }

  /** Changes one session's entry. @throws SessionEndedError where there is none */
  async change(
    userId: string | number,
    handle: string,
    change: (entry: UserSession) => UserSession,
  ): Promise<void> {
    await this.update(userId, (index) => {
      const changed = change(entryOf(index, handle));
      return { ...index, sessions: { ...index.sessions, [handle]: changed } };
    });
  }

  /** Gives a session another id; the one before is on its way out. @throws SessionEndedError */
  async move(
    userId: string | number,
    handle: string,
    from: string,
    to: UserSession,
  ): Promise<void> {
    await this.update(userId, (index) => {
      const entry = entryOf(index, handle);
      if (entry.id !== from) throw new SessionEndedError("The session moved meanwhile");
      const { sessions, ...rest } = ending(index, [entry]);
      return {
        ...rest,
        sessions: { ...sessions, [handle]: { ...entry, ...to, replaces: undefined } },
      };
    });
  }

  /** Gives a session another id, with the one before still leading there. @throws SessionEndedError */
  async renew(
    userId: string | number,
    handle: string,
    to: UserSession & { readonly replaces: string },
  ): Promise<void> {
    await this.change(userId, handle, (entry) => {
      if (entry.id !== to.replaces) throw new SessionEndedError("The session moved meanwhile");
      return { ...entry, ...to };
    });
  }

  /** Takes one session out of a user's index. */
  async remove(userId: string | number, handle: string): Promise<void> {
    await this.update(userId, (index) => without(index, handle));
  }

  /**
   * Ends a user's sessions, but for those that are to be kept. A login under way is refused.
   *
   * They leave the index in the change that says so: none can be moved to another id any more.
   * @returns the ids that were ended, and when
   */
  async endAll(
    userId: string | number,
    isKept: (session: UserSession) => boolean = () => false,
  ): Promise<{ ended: string[]; endedAt: number }> {
    const endedAt = Date.now();
    let ended: readonly UserSession[] = [];
    const after = await this.update(userId, (index) => {
      ended = Object.values(index.sessions).filter((session) => !isKept(session));
      return { ...ending(index, ended), endedAt: Math.max(endedAt, index.endedAt) };
    });
    await this.#finish(userId, after.ending);
    return { ended: ended.map(({ id }) => id), endedAt };
  }

  /** Ends one session of a user. @returns its id, or `undefined` where there is none of that handle */
  async endOne(userId: string | number, handle: string): Promise<string | undefined> {
    let ended: UserSession | undefined;
    const after = await this.update(userId, (index) => {
      ended = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
      return ended === undefined ? index : ending(index, [ended]);
    });
    if (ended !== undefined) await this.#finish(userId, after.ending);
    return ended?.id;
  }

  /** Forgets sessions on their way out whose records are gone. */
  async forgetEnded(userId: string | number, ids: readonly string[]): Promise<void> {
    await this.update(userId, (index) => ({
      ...index,
      ending: index.ending?.filter(({ id }) => !ids.includes(id)),
    }));
  }

  async #finish(userId: string | number, over: readonly UserSession[] = []): Promise<void> {
    if (over.length === 0) return;
    await Promise.all(over.map((session) => this.#removeRecord(session)));
    await this.forgetEnded(
      userId,
      over.map(({ id }) => id),
    );
  }

  async #removeRecord(session: UserSession): Promise<void> {
    const records = new RecordDocuments(this.#store, session.shopId);
    const ids = [session.id, session.replaces ?? []].flat();
    const keys = ids.map(sessionKey).filter((key) => key !== undefined);
    await Promise.all(keys.map((key) => records.take(key)));
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
function ending(index: UserIndex, over: readonly UserSession[]): UserIndex {
  if (over.length === 0) return index;
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

function entryOf(index: UserIndex, handle: string): UserSession {
  const entry = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
  if (entry === undefined) throw new SessionEndedError("The session ended meanwhile");
  return entry;
}

/** The sessions that must go for one more, or that one more takes the place of. */
function findExcess(
  { sessions }: UserIndex,
  replaced: string | undefined,
  { maxSessionsPerUser, sessionLimitPolicy }: SessionLimit,
): readonly UserSession[] {
  const others = Object.entries(sessions).filter(([handle]) => handle !== replaced);
  const tooMany = others.length + 1 - maxSessionsPerUser;
  if (tooMany <= 0) return [];
  if (sessionLimitPolicy === "refuse") throw new SessionLimitError("The user has sessions enough");
  const oldestFirst = others.map(([, session]) => session);
  return oldestFirst.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).slice(0, tooMany);
}

function union(
  noted: readonly PendingMerge[],
  merges: readonly PendingMerge[],
): readonly PendingMerge[] {
  const known = noted.filter(({ belonging, key }) =>
    merges.every((merge) => merge.belonging !== belonging || merge.key !== key),
  );
  return [...known, ...merges];
}

/** The index without what has expired, and without sessions of epochs that have passed. */
function withoutPast(index: UserIndex = emptyIndex, epochs: Epochs): UserIndex {
  const now = Date.now();
  const alive = Object.entries(index.sessions).filter(
    ([, session]) => session.expiresAt > now && !isPast(epochs, session.shopId, session),
  );
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

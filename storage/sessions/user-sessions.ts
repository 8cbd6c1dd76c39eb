import { LRUCache } from "lru-cache";
import type { Collection, DocumentStore, Snapshot } from "../documents/documents.ts";
import { toKeySegment } from "../documents/key.ts";
import type { SessionGenerations } from "./generations.ts";
import { isAfter, laterOf, type RevocationMark } from "./revocations.ts";
import { toEndingSessions, type EndingSession, type SessionEndings } from "./session-endings.ts";
import { endDocument, openSessionDocuments } from "./session-document.ts";
import { sessionKey } from "./session-record.ts";
import { reportEnded } from "./session-reports.ts";
import { SessionEndedError, type LoadedSession } from "./session.ts";
import {
  emptyIndex,
  withEnding,
  endOf,
  entryOf,
  findExcess,
  idsOf,
  isUserIndex,
  type IndexedLogin,
  addMerges,
  withoutPast,
  type PendingMerge,
  type UserIndex,
  type UserSession,
} from "./user-index.ts";

/**
 * The index of each user's sessions in one storage, for the shops of one realm: one document per user. A document that
 * is missing before the last session would have expired was lost, and the next index notes that it may be incomplete.
 * @throws StorageUnavailableError from all methods
 */
export class UserSessionIndex {
  readonly store: DocumentStore;
  readonly generations: SessionGenerations;
  readonly #now: () => number;
  readonly #documents: Collection<UserIndex>;
  /** Until when a user's index must exist, as far as this process knows, in epoch milliseconds; by user ID. */
  readonly #ends: LRUCache<string, number>;
  /** Learns which sessions end. */
  readonly endings: SessionEndings | undefined;

  constructor(
    store: DocumentStore,
    generations: SessionGenerations,
    realm: string,
    endings?: SessionEndings,
  ) {
    this.store = store;
    this.generations = generations;
    this.endings = endings;
    this.#now = () => store.clock.now();
    this.#documents = store.collection(`user:${toKeySegment(realm)}`, isUserIndex, "setAside");
    // Limited by size, because the cache allocates a limit by number immediately.
    this.#ends = new LRUCache({ maxSize: 10_000, sizeCalculation: () => 1 });
  }

  /** Reads a user's index, without expired entries and ended sessions. */
  async read(userId: string | number): Promise<UserIndex> {
    const [snapshot, generations] = await Promise.all([
      this.#documents.get(toKeySegment(userId)),
      this.generations.current(),
    ]);
    this.#note(userId, snapshot);
    return withoutPast(snapshot.value, generations, this.#now());
  }

  /**
   * Changes a user's index atomically.
   * @param change can reject the change by throwing
   */
  async update(
    userId: string | number,
    change: (index: UserIndex) => UserIndex,
  ): Promise<UserIndex> {
    const generations = await this.generations.current();
    const snapshot = await this.#documents.update(toKeySegment(userId), (current, found) => {
      const before = withoutPast(current ?? this.#begin(userId, found), generations, this.#now());
      const after = change(before);
      if (after === before) return "keep";
      const last = current === undefined ? 0 : (found.expiresAt ?? 0);
      return { set: after, expiresAt: Math.max(endOf(after), last) };
    });
    this.#note(userId, snapshot);
    return snapshot.value ?? emptyIndex;
  }

  /** Notes that a user has a session or an index until then, so that this process recognizes a missing index as lost. */
  noteEnd(userId: string | number, end: number): void {
    const key = String(userId);
    if (end > (this.#ends.get(key) ?? 0)) this.#ends.set(key, end);
  }

  /**
   * Whether a user's index names their session. If not, an end of all sessions would miss the session. If the index was
   * lost, this notes it there.
   */
  async names({ record: { user, handle, id }, expiresAt }: LoadedSession): Promise<boolean> {
    if (user === undefined) return true;
    const index = await this.read(user.id);
    if (entryOf(index, handle) !== undefined) return true;
    if (index.ending?.some((entry) => idsOf(entry).includes(id))) return false;
    await this.update(user.id, (current) => {
      const incompleteUntil = Math.max(current.incompleteUntil ?? 0, expiresAt);
      return { ...current, incompleteUntil };
    });
    return false;
  }

  /**
   * Adds a new session, and ends the sessions above the limit.
   * @returns the user's pending merges
   * @throws SessionEndedError if all of the user's sessions were ended since the login began;
   * SessionLimitError if the user has as many as allowed; StorageUnavailableError if too many merges are pending
   */
  async add(
    userId: string | number,
    handle: string,
    entry: UserSession,
    { replaces, since, settings, pendingMerges }: IndexedLogin,
  ): Promise<readonly PendingMerge[]> {
    let latest: RevocationMark | undefined;
    let excess: readonly UserSession[] = [];
    let over: readonly EndingSession[] = [];
    let isUnknown = false;
    const addTo = (current: UserIndex): UserIndex => {
      // If the two marks can't be compared, the end is later if the document wasn't lost after it.
      const isEnded =
        isAfter(current.revocation, since) ??
        (latest && isAfter(current.revocation, latest) === false);
      isUnknown = isEnded === undefined;
      if (isUnknown) return current;
      if (isEnded) throw new SessionEndedError();
      excess = findExcess(current, replaces, settings);
      over = toEndingSessions(current, (one) => excess.includes(one));
      const { sessions, ...rest } = withEnding(current, excess);
      return {
        ...rest,
        sessions: { ...sessions, [handle]: entry },
        pendingMerges: addMerges(rest.pendingMerges, pendingMerges),
      };
    };
    let index = await this.update(userId, addTo);
    if (isUnknown) {
      latest = await this.generations.revocations.read();
      index = await this.update(userId, addTo);
    }
    await this.endings?.note(over);
    await this.#finish(userId, excess);
    reportEnded(this.store, excess, "limit");
    await this.endings?.finish(over);
    // Complete earlier ends that failed midway, or they would add up. A failure here doesn't fail the login.
    const left = index.ending?.filter(({ id }) => !excess.some((one) => one.id === id));
    await this.#finish(userId, left).catch(() => undefined);
    return index.pendingMerges;
  }

  /** Changes one session's entry. @throws SessionEndedError if there is none */
  async change(
    userId: string | number,
    handle: string,
    change: (entry: UserSession) => UserSession,
  ): Promise<void> {
    await this.update(userId, (index) => {
      const entry = entryOf(index, handle);
      if (entry === undefined) throw new SessionEndedError();
      const changed = change(entry);
      if (changed === entry) return index;
      return { ...index, sessions: { ...index.sessions, [handle]: changed } };
    });
  }

  /**
   * Gives a session another ID.
   * @returns the entry after that: unchanged if the session is already moving from this ID to another
   * @throws SessionEndedError if there is no such session, or it has moved on
   */
  async replaceId(
    userId: string | number,
    handle: string,
    from: string,
    to: UserSession,
  ): Promise<UserSession> {
    let moved = to;
    await this.change(userId, handle, (entry) => {
      moved = entry.id === from ? { ...entry, ...to } : entry;
      if (entry.id !== from && entry.replaces !== from) throw new SessionEndedError();
      return moved;
    });
    return moved;
  }

  /**
   * Removes an ended session from its user's index. Doesn't throw: an entry without a record gives access to nothing,
   * and expires with the session.
   */
  async remove({ record: { user, handle } }: LoadedSession): Promise<void> {
    if (user === undefined) return;
    await this.update(user.id, (index) => {
      const { [handle]: _, ...sessions } = index.sessions;
      return { ...index, sessions };
    }).catch(() => undefined);
  }

  /**
   * Ends a user's sessions, except those that `isKept` accepts. A login in progress fails.
   *
   * The same change removes them from the index, so none of them can get another ID.
   * @param since the mark that a login of the same call has compared with so far
   * @returns the ended sessions; `isComplete: false` if the index was lost a while ago, so that sessions that it doesn't
   * name can stay active; the mark that a login of the same call compares with: that of this end, unless another end
   * came before it
   */
  async endAll(
    userId: string | number,
    isKept: (session: UserSession) => boolean = () => false,
    since?: RevocationMark,
  ): Promise<{ ended: readonly UserSession[]; isComplete: boolean; since: RevocationMark }> {
    await this.#noteEnding(userId, (one) => !isKept(one));
    // Before the index: a login that reads this mark also sees the result of this end in the index.
    const mark = await this.generations.revocations.next();
    let ended: readonly UserSession[] = [];
    let over: readonly EndingSession[] = [];
    let before: RevocationMark | undefined;
    const after = await this.update(userId, (index) => {
      ended = Object.values(index.sessions).filter((session) => !isKept(session));
      over = toEndingSessions(index, (one) => !isKept(one));
      before = index.revocation;
      const endedAt = Math.max(this.#now(), index.endedAt);
      return { ...withEnding(index, ended), endedAt, revocation: laterOf(before, mark) };
    });
    await this.#finish(userId, after.ending);
    await this.endings?.finish(over);
    const isFirst = since === undefined || isAfter(before, since) === false;
    const isComplete = (after.incompleteUntil ?? 0) <= this.#now();
    return { ended, isComplete, since: isFirst ? mark : since };
  }

  /** Ends one session of a user. @returns the session, or `undefined` if there is none of that handle */
  async endOne(userId: string | number, handle: string): Promise<UserSession | undefined> {
    let ended: UserSession | undefined;
    await this.#noteEnding(userId, (_, key) => key === handle);
    const after = await this.update(userId, (index) => {
      ended = entryOf(index, handle);
      return ended === undefined ? index : withEnding(index, [ended]);
    });
    if (ended === undefined) return undefined;
    await this.#finish(userId, after.ending);
    await this.endings?.finish([{ shopId: ended.shopId, handle }]);
    return ended;
  }

  /** Notes which sessions are about to end, so that a sweep finds them if the process crashes after their end. */
  async #noteEnding(
    userId: string | number,
    ends: (session: UserSession, handle: string) => boolean,
  ): Promise<void> {
    const { endings } = this;
    if (endings?.isNeeded) await endings.note(toEndingSessions(await this.read(userId), ends));
  }

  /** Replaces the records of ended sessions by marks, and then removes the rest of these sessions from the index. */
  async #finish(userId: string | number, over: readonly UserSession[] = []): Promise<void> {
    if (over.length === 0) return;
    const ends = over.flatMap((session) => {
      const records = openSessionDocuments(this.store, session.shopId);
      const keys = idsOf(session).map(sessionKey);
      return keys.map((key) => key && endDocument(records, key, this.store.clock));
    });
    await Promise.all(ends);
    const ids = over.map(({ id }) => id);
    const cleaned = this.update(userId, (index) => {
      return { ...index, ending: index.ending?.filter(({ id }) => !ids.includes(id)) };
    });
    // The sessions have ended. The next end removes their rest from the index.
    await cleaned.catch(() => undefined);
  }

  /** The index for a user without one: their first, or the replacement of a lost index. */
  #begin(userId: string | number, found: Snapshot<UserIndex>): UserIndex {
    this.#note(userId, found);
    const incompleteUntil = this.#ends.get(String(userId)) ?? 0;
    return incompleteUntil > this.#now() ? { ...emptyIndex, incompleteUntil } : emptyIndex;
  }

  #note(userId: string | number, found: Snapshot<UserIndex>): void {
    const { value, expiresAt = 0, wasUnreadable } = found;
    if (wasUnreadable) this.noteEnd(userId, this.#now() + unreadableMemory);
    else if (value !== undefined) this.noteEnd(userId, expiresAt);
  }
}

// --- Internal helpers ---

/** An unreadable index is stored for this time. By default, no session lives longer. */
const unreadableMemory = 30 * 86_400_000;

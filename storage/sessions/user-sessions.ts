import type { DocumentStore } from "../documents/documents.ts";
import type { SessionGenerations } from "./generations.ts";
import { isAfter, laterOf, type RevocationMark } from "./revocations.ts";
import { findExcess } from "./session-limit.ts";
import { endDocument, openSessionDocuments } from "./session-document.ts";
import { sessionKey } from "./session-record.ts";
import { SessionEndedError, type Session, type SessionSettings } from "./session.ts";
import {
  ending,
  idsOf,
  union,
  without,
  type PendingMerge,
  type UserIndex,
  type UserSession,
} from "./user-index.ts";
import { UserIndexes } from "./user-indexes.ts";

/** The login that adds a session to its user's index. */
export interface NewEntry {
  readonly handle: string;
  /** The handle of the session that it replaces. */
  readonly replaces: string | undefined;
  /** The mark of the last end when the login began: a later end of this user's sessions fails it. */
  readonly since: RevocationMark;
  readonly limit: SessionSettings;
  /** The guest's lists that wait for a merge. */
  readonly pendingMerges: readonly PendingMerge[];
}

/** The result of ending all sessions of a user. */
export interface EndOfAll {
  readonly ended: readonly UserSession[];
  /** `false`: the index was lost a while ago, so sessions that it doesn't name can stay active. */
  readonly isComplete: boolean;
  /** The mark that a login of the same call compares with: that of this end, unless another end came before it. */
  readonly since: RevocationMark;
}

/**
 * The index of each user's sessions in one storage, for the shops of one realm.
 *
 * One document per user, so an operation on a user's sessions costs only that user's sessions.
 * All methods throw StorageUnavailableError.
 */
export class UserSessionIndex {
  readonly #store: DocumentStore;
  readonly #generations: SessionGenerations;
  readonly #indexes: UserIndexes;

  constructor(store: DocumentStore, generations: SessionGenerations, realm: string) {
    this.#store = store;
    this.#generations = generations;
    this.#indexes = new UserIndexes(store, generations, realm);
  }

  /** The mark of the last end of any user's sessions: a login reads it before it checks a password. */
  lastRevocation(): Promise<RevocationMark> {
    return this.#generations.revocations.read();
  }

  /** The cached mark, without waiting; `undefined` if the change feed is down. */
  recallRevocation(): RevocationMark | Promise<RevocationMark> | undefined {
    return this.#generations.revocations.recall();
  }

  /** Reads a user's index, without expired entries and ended sessions. */
  read(userId: string | number): Promise<UserIndex> {
    return this.#indexes.read(userId);
  }

  /**
   * Changes a user's index atomically.
   * @param change can reject the change by throwing
   */
  update(userId: string | number, change: (index: UserIndex) => UserIndex): Promise<UserIndex> {
    return this.#indexes.update(userId, change);
  }

  /** Notes that this process has seen a session of a user, so that it recognizes a missing index as lost. */
  noteSession({ record, expiresAt }: Session): void {
    if (record.user !== undefined) this.#indexes.noteSession(record.user.id, { expiresAt });
  }

  /** Whether a user's index names their session. If not, an end of all sessions would miss the session. */
  async names({ record, expiresAt }: Session): Promise<boolean> {
    const { user, handle, id } = record;
    return user === undefined || this.#indexes.names(user.id, { handle, id, expiresAt });
  }

  /**
   * Adds a new session, and ends the sessions above the limit.
   * @returns the user's pending merges
   * @throws SessionEndedError if all of the user's sessions were ended since the login began;
   * SessionLimitError if the user has as many as allowed; StorageUnavailableError if too many merges are pending
   */
  async add(
    userId: string | number,
    entry: UserSession,
    login: NewEntry,
    latest?: RevocationMark,
  ): Promise<readonly PendingMerge[]> {
    const { handle, replaces, since, limit, pendingMerges } = login;
    let excess: readonly UserSession[] = [];
    let isUnknown = false;
    const index = await this.update(userId, (current) => {
      // If the two marks can't be compared, the end is later if the document wasn't lost after it.
      const isEnded =
        isAfter(current.revocation, since) ??
        (latest && isAfter(current.revocation, latest) === false);
      isUnknown = isEnded === undefined && latest === undefined;
      if (isUnknown) return current;
      if (isEnded) throw new SessionEndedError("The user's sessions were ended during the login");
      excess = findExcess(current, replaces, limit);
      const { sessions, ...rest } = ending(current, excess);
      return {
        ...rest,
        sessions: { ...sessions, [handle]: entry },
        pendingMerges: union(rest.pendingMerges, pendingMerges),
      };
    });
    if (isUnknown) return this.add(userId, entry, login, await this.lastRevocation());
    await this.#finish(userId, excess);
    // Complete earlier ends that failed midway, or they would add up. A failure here doesn't fail the login.
    const left = index.ending?.filter(({ id }) => !excess.some((over) => over.id === id));
    await this.#finish(userId, left).catch(() => undefined);
    return index.pendingMerges;
  }

  /** Notes pending merges of a user. @returns all of them */
  async addPendingMerges(
    userId: string | number,
    merges: readonly PendingMerge[],
  ): Promise<readonly PendingMerge[]> {
    const { pendingMerges } = await this.update(userId, (index) => ({
      ...index,
      pendingMerges: union(index.pendingMerges, merges),
    }));
    return pendingMerges;
  }

  /** Changes one session's entry. @throws SessionEndedError if there is none */
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
    await this.update(userId, (index) => {
      const entry = entryOf(index, handle);
      moved = entry.id === from ? { ...entry, ...to } : entry;
      if (entry.id !== from && entry.replaces !== from) {
        throw new SessionEndedError();
      }
      return moved === entry
        ? index
        : { ...index, sessions: { ...index.sessions, [handle]: moved } };
    });
    return moved;
  }

  /** Removes one session from a user's index. */
  async remove(userId: string | number, handle: string): Promise<void> {
    await this.update(userId, (index) => without(index, handle));
  }

  /**
   * Ends a user's sessions, except those that `isKept` accepts. A login in progress fails.
   *
   * The same change removes them from the index, so none of them can get another ID.
   * @param since the mark that a login of the same call has compared with so far
   */
  async endAll(
    userId: string | number,
    isKept: (session: UserSession) => boolean = () => false,
    since?: RevocationMark,
  ): Promise<EndOfAll> {
    // Before the index: a login that reads this mark also sees the result of this end in the index.
    const mark = await this.#generations.revocations.next();
    const endedAt = Date.now();
    let ended: readonly UserSession[] = [];
    let before: RevocationMark | undefined;
    const after = await this.update(userId, (index) => {
      ended = Object.values(index.sessions).filter((session) => !isKept(session));
      before = index.revocation;
      const revocation = laterOf(before, mark);
      return {
        ...ending(index, ended),
        endedAt: Math.max(endedAt, index.endedAt),
        revocation,
      };
    });
    await this.#finish(userId, after.ending);
    const isFirst = since === undefined || isAfter(before, since) === false;
    const isComplete = (after.incompleteUntil ?? 0) <= Date.now();
    return { ended, isComplete, since: isFirst ? mark : since };
  }

  /** Ends one session of a user. @returns the session, or `undefined` if there is none of that handle */
  async endOne(userId: string | number, handle: string): Promise<UserSession | undefined> {
    let ended: UserSession | undefined;
    const after = await this.update(userId, (index) => {
      ended = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
      return ended === undefined ? index : ending(index, [ended]);
    });
    if (ended !== undefined) await this.#finish(userId, after.ending);
    return ended;
  }

  async #finish(userId: string | number, over: readonly UserSession[] = []): Promise<void> {
    if (over.length === 0) return;
    await Promise.all(over.map((session) => this.#endRecords(session)));
    const ids = over.map(({ id }) => id);
    const clean = (index: UserIndex) => ({
      ...index,
      ending: index.ending?.filter(({ id }) => !ids.includes(id)),
    });
    // The sessions have ended. The next end removes their rest from the index.
    await this.update(userId, clean).catch(() => undefined);
  }

  /** Replaces each record by a mark, so that late calls learn that the session ended. */
  async #endRecords(session: UserSession): Promise<void> {
    const records = openSessionDocuments(this.#store, session.shopId);
    const keys = idsOf(session)
      .map(sessionKey)
      .filter((key) => key !== undefined);
    await Promise.all(keys.map((key) => endDocument(records, key)));
  }
}

// --- Internal helpers ---

function entryOf(index: UserIndex, handle: string): UserSession {
  const entry = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
  if (entry === undefined) throw new SessionEndedError();
  return entry;
}

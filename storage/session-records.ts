import {
  generationOf,
  isOver,
  isUndecided,
  type Generations,
  type SessionGenerations,
} from "./generations.ts";
import { absent, type Documents, type DocumentStore, type Snapshot } from "./documents.ts";
import { RecordDocuments } from "./record-documents.ts";
import type { SessionCache } from "./session-cache.ts";
import { endOfSession, isExtensionDue, type SessionLifetime } from "./session-lifetime.ts";
import { keyLength, sessionKey, type SessionRecord } from "./session-record.ts";
import { SessionEndedError } from "./user-sessions.ts";

/** A session as it was read. */
export interface Session {
  readonly record: SessionRecord;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly snapshot: Snapshot<SessionRecord>;
}

/** A change of a record; a pure function, for it may run more than once. */
export type RecordChange = (record: SessionRecord) => SessionRecord;

/**
 * The records of one shop's sessions, each under the random part of its id.
 *
 * One of a generation that is over is not there any more. One that was replaced is: it leads to its successor.
 * All methods throw StorageUnavailableError.
 */
export class SessionRecords {
  readonly #shopId: number;
  readonly #documents: Documents<SessionRecord>;
  readonly #generations: SessionGenerations;
  readonly #lifetime: SessionLifetime;
  readonly #cache: SessionCache | undefined;

  constructor(
    shopId: number,
    store: DocumentStore,
    generations: SessionGenerations,
    lifetime: SessionLifetime,
    cache: SessionCache | undefined,
  ) {
    this.#shopId = shopId;
    this.#documents = new RecordDocuments(store, shopId);
    this.#generations = generations;
    this.#lifetime = lifetime;
    this.#cache = cache;
  }

  /** The record of exactly this id, if it is in the cache of this process. */
  peek(id: string): Session | undefined {
    // Whether it is an id at all need not be asked: only of this very id is a record found.
    const snapshot = this.#cache?.peek(id.slice(-keyLength));
    if (snapshot === undefined) return undefined;
    const generations = this.#generations.current();
    return generations instanceof Promise ? undefined : this.#toLiving(id, snapshot, generations);
  }

  /** Reads the record of exactly this id. */
  async read(id: string): Promise<Session | undefined> {
    const key = sessionKey(id);
    if (key === undefined) return undefined;
    const read = (missed: string) => this.#documents.get(missed);
    const [snapshot, known] = await Promise.all([
      this.#cache?.read(key, read) ?? read(key),
      this.#generations.current(),
    ]);
    const isToBeMade = snapshot.value && isUndecided(known, this.#shopId, snapshot.value);
    const generations = isToBeMade ? await this.#generations.ensure(this.#shopId) : known;
    return this.#toLiving(id, snapshot, generations);
  }

  /** Stores a new record; one that is a copy stays of its generation. */
  async create(record: SessionRecord): Promise<Session> {
    const expiresAt = endOfSession(record, this.#lifetime);
    return toSession(
      await this.#documents.update(keyOf(record), () => ({ set: record, expiresAt }), absent),
    ) as Session;
  }

  /** What a session that begins now is marked with. */
  async currentGeneration(): Promise<{ readonly generation: string | undefined }> {
    const generations = await this.#generations.ensure(this.#shopId);
    return { generation: generationOf(generations, this.#shopId)?.id };
  }

  /**
   * Changes a record, and extends its life where that is due.
   * @returns the record; unchanged where it is one that was replaced
   * @throws SessionEndedError where it is not there any more: it is never brought back
   */
  async change(session: Session, change: RecordChange): Promise<Session> {
    const extension = this.extensionOf(session);
    const known = this.#generations.current();
    const generations = known instanceof Promise ? await known : known;
    const snapshot = await this.#documents.update(
      keyOf(session.record),
      (current, { expiresAt = 0 }) => {
        if (current === undefined || isOver(generations, this.#shopId, current)) {
          throw new SessionEndedError("The session ended meanwhile");
        }
        if (current.replacedBy !== undefined) return "keep";
        const changed = change(current);
        if (extension === undefined) return { set: changed, expiresAt };
        const { lastSeenAt, expiresAt: extended } = extension;
        return { set: { ...changed, lastSeenAt }, expiresAt: Math.max(extended, expiresAt) };
      },
      session.snapshot,
    );
    return toSession(snapshot) as Session;
  }

  /** How long the life of a session that is used now is to be, where that is due to be written. */
  extensionOf({
    record,
    expiresAt,
  }: Session): { readonly lastSeenAt: number; readonly expiresAt: number } | undefined {
    const extended = endOfSession(record, this.#lifetime);
    const isDue = isExtensionDue(record, this.#lifetime) && extended > expiresAt;
    return isDue ? { lastSeenAt: Date.now(), expiresAt: extended } : undefined;
  }

  /**
   * Removes a record, or puts another in its place, where it is still what was read.
   * @returns what stands there afterwards, if anything
   */
  async supersede(session: Session, next: SessionRecord | "remove"): Promise<Session | undefined> {
    const { record, expiresAt, snapshot } = session;
    const superseded = await this.#documents.update(
      keyOf(record),
      (_, { version }) => {
        if (version !== snapshot.version) return "keep";
        return next === "remove" ? "remove" : { set: next, expiresAt };
      },
      snapshot,
    );
    return toSession(superseded);
  }

  /** Reads and removes a record at once. */
  take(record: SessionRecord): Promise<SessionRecord | undefined> {
    return this.#documents.take(keyOf(record));
  }

  #toLiving(
    id: string,
    snapshot: Snapshot<SessionRecord>,
    generations: Generations,
  ): Session | undefined {
    const session = toSession(snapshot);
    const isThere = session?.record.id === id && !isOver(generations, this.#shopId, session.record);
    return isThere ? session : undefined;
  }
}

// --- Internal helpers ---

function toSession(snapshot: Snapshot<SessionRecord>): Session | undefined {
  const { value: record, expiresAt = Infinity } = snapshot;
  return record && { record, expiresAt, snapshot };
}

function keyOf({ id }: SessionRecord): string {
  return id.slice(-keyLength);
}

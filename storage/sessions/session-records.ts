import {
  generationOf,
  isJustAdvanced,
  isOver,
  isUndecided,
  type Generations,
  type OfGeneration,
  type SessionGenerations,
} from "./generations.ts";
import {
  absent,
  type Collection,
  type DocumentStore,
  type Snapshot,
} from "../documents/documents.ts";
import { isOfRecord, openSessionDocuments, type SessionDocument } from "./record-codec.ts";
import type { SessionCache } from "./session-cache.ts";
import { StrategyCache } from "./strategy-cache.ts";
import { endOfSession, isExtensionDue, type SessionLifetime } from "./session-lifetime.ts";
import {
  graceMilliseconds,
  toEnded,
  type RenewedMark,
  type RetiredMark,
  type SessionMark,
} from "./session-mark.ts";
import { keyLength, sessionKey, type SessionRecord } from "./session-record.ts";
import type { UserSession } from "./user-index.ts";
import { SessionEndedError } from "./user-sessions.ts";

/** A session as it was read. */
export interface Session {
  readonly record: SessionRecord;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly snapshot: Snapshot<SessionRecord>;
}

/** The content of a session ID's key: the session, or a mark. */
export type Found = Session | SessionMark;

/** A change of a record: a pure function, because it can run more than once. */
export type RecordChange = (record: SessionRecord) => SessionRecord;

/**
 * The records of one shop's sessions, each under the random part of its ID.
 *
 * A record of an earlier generation counts as absent.
 * All methods throw StorageUnavailableError.
 */
export class SessionRecords {
  readonly #shopId: number;
  readonly #documents: Collection<SessionDocument>;
  readonly #generations: SessionGenerations;
  readonly #lifetime: SessionLifetime;
  readonly #cache: SessionCache | undefined;
  readonly #strategy: StrategyCache | undefined;

  constructor(
    shopId: number,
    store: DocumentStore,
    generations: SessionGenerations,
    lifetime: SessionLifetime,
    cache: SessionCache | StrategyCache | undefined,
  ) {
    this.#shopId = shopId;
    this.#documents = openSessionDocuments(store, shopId);
    this.#generations = generations;
    this.#lifetime = lifetime;
    const isStrategy = cache instanceof StrategyCache;
    this.#cache = isStrategy ? undefined : cache;
    this.#strategy = isStrategy ? cache : undefined;
  }

  /** The session with exactly this ID, if it is in the cache of this process. */
  peek(id: string): Session | undefined {
    // No need to check the format: `#toLiving` compares the whole ID.
    const snapshot = this.#cache?.peek(id.slice(-keyLength));
    if (snapshot === undefined) return undefined;
    const generations = this.#generations.current();
    return generations instanceof Promise ? undefined : this.#toLiving(id, snapshot, generations);
  }

  /** Reads the record of exactly this ID, or its mark. */
  async read(id: string): Promise<Found | undefined> {
    const key = sessionKey(id);
    if (key === undefined) return undefined;
    if (this.#strategy !== undefined) {
      // Its generation was current when it was cached.
      const cached = toFound((await this.#strategy.find(key)) ?? absent) as Session | undefined;
      if (cached?.record.id === id) return cached;
    }
    const readAt = Date.now();
    const read = (missed: string) => this.#documents.get(missed);
    const [snapshot, known] = await Promise.all([
      this.#cache?.read(key, read) ?? read(key),
      this.#generations.current(),
    ]);
    if (!isOfRecord(snapshot)) return toFound(snapshot);
    const isToBeMade = isUndecided(known, this.#shopId, snapshot.value);
    const generations = isToBeMade ? await this.#generations.ensure(this.#shopId) : known;
    const living = this.#toLiving(id, snapshot, generations);
    if (living !== undefined) this.#strategy?.keep(key, snapshot, readAt);
    const isJustEnded = snapshot.value?.id === id && isJustAdvanced(generations, this.#shopId);
    return living ?? (isJustEnded ? { mark: "ended" } : undefined);
  }

  /** Stores a new record; a copy keeps its generation. */
  async create(record: SessionRecord): Promise<Session> {
    const expiresAt = endOfSession(record, this.#lifetime);
    return toFound(
      await this.#documents.update(keyOf(record), () => ({ set: record, expiresAt }), absent),
    ) as Session;
  }

  /** The generation fields of a new session. */
  async currentGeneration(): Promise<OfGeneration> {
    const generations = await this.#generations.ensure(this.#shopId);
    const { id, legacy } = generationOf(generations, this.#shopId) ?? {};
    // In a rolling upgrade, servers of earlier versions read the number.
    return legacy ? { generation: id, epoch: legacy } : { generation: id };
  }

  /**
   * Changes a record, and extends its lifetime if that is due.
   * @returns the session, or the mark in its place
   * @throws SessionEndedError if the record is gone: a change never restores it
   */
  async change(session: Session, change: RecordChange): Promise<Found> {
    const extension = this.extensionOf(session);
    const known = this.#generations.current();
    const generations = known instanceof Promise ? await known : known;
    const snapshot = await this.#documents.update(
      keyOf(session.record),
      (current, { expiresAt = 0, version }) => {
        // A cached session was out of date.
        if (version !== session.snapshot.version) this.#strategy?.forget(keyOf(session.record));
        if (current === undefined) throw new SessionEndedError();
        if (current.mark !== undefined) return "keep";
        if (isOver(generations, this.#shopId, current)) throw new SessionEndedError();
        const changed = change(current);
        if (extension === undefined) {
          return changed === current ? "keep" : { set: changed, expiresAt };
        }
        const { lastSeenAt, expiresAt: extended } = extension;
        return { set: { ...changed, lastSeenAt }, expiresAt: Math.max(extended, expiresAt) };
      },
      session.snapshot,
    );
    return toFound(snapshot) as Found;
  }

  /** The new lifetime of a session that is used now, if an extension is due. */
  extensionOf({
    record,
    expiresAt,
  }: Session): { readonly lastSeenAt: number; readonly expiresAt: number } | undefined {
    const extended = endOfSession(record, this.#lifetime);
    const isDue = isExtensionDue(record, this.#lifetime);
    return isDue ? { lastSeenAt: Date.now(), expiresAt: Math.max(extended, expiresAt) } : undefined;
  }

  /**
   * Replaces a record by a mark, if the record is still as it was read.
   * @returns the content after that, if there is any
   */
  async replace(session: Session, mark: RenewedMark | RetiredMark): Promise<Found | undefined> {
    try {
      return await this.#replace(session, mark);
    } catch (error) {
      // The storage can have written the mark before it failed.
      const found = await this.read(session.record.id).catch(() => undefined);
      if (found === undefined || successorOf(found) !== successorOf(mark)) throw error;
      return found;
    }
  }

  /** Ends a record, even if it has changed since it was read. @returns the content before, if there was any */
  async end({ record, snapshot }: Session): Promise<Found | undefined> {
    let last: Snapshot<SessionDocument> = absent;
    await this.#documents.update(
      keyOf(record),
      (current, found) => {
        last = found;
        return toEnded(current);
      },
      snapshot,
    );
    return toFound(last);
  }

  /** Removes a record without leaving a mark. @returns the content before, if there was any */
  async remove(session: Session): Promise<Found | undefined> {
    const value = await this.#documents.take(keyOf(session.record));
    return toFound({ ...session.snapshot, value });
  }

  async #replace(
    { record, snapshot, expiresAt }: Session,
    mark: RenewedMark | RetiredMark,
  ): Promise<Found | undefined> {
    const end = mark.mark === "renewed" ? expiresAt : Date.now() + graceMilliseconds;
    const replaced = await this.#documents.update(
      keyOf(record),
      (_, { version }) => (version === snapshot.version ? { set: mark, expiresAt: end } : "keep"),
      snapshot,
    );
    return toFound(replaced);
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

/** Whether only the mark of a session is left. */
export function isMark(found: Found): found is SessionMark {
  return "mark" in found;
}

/** The new ID of the session, by the mark under its old ID. */
export function successorOf(found: Found): string | undefined {
  if (!isMark(found)) return undefined;
  if (found.mark === "renewed") return found.to;
  return found.mark === "retired" ? found.for : undefined;
}

/** The entry of a session in its user's index. */
export function toIndexEntry(shopId: number, { record, expiresAt }: Session): UserSession {
  const { id, createdAt, generation, epoch, lastSeenAt = createdAt } = record;
  return { id, shopId, createdAt, generation, epoch, lastSeenAt, expiresAt };
}

// --- Internal helpers ---

function toSession(snapshot: Snapshot<SessionRecord>): Session | undefined {
  const { value: record, expiresAt = Infinity } = snapshot;
  return record && { record, expiresAt, snapshot };
}

function toFound(snapshot: Snapshot<SessionDocument>): Found | undefined {
  return isOfRecord(snapshot) ? toSession(snapshot) : (snapshot.value as SessionMark | undefined);
}

function keyOf({ id }: SessionRecord): string {
  return id.slice(-keyLength);
}

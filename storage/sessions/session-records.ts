import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { generationOf, isJustAdvanced, isOutdated } from "./generations.ts";
import { absent, type Collection, type Snapshot } from "../documents/documents.ts";
import {
  endDocument,
  graceMilliseconds,
  openSessionDocuments,
  type SessionDocument,
  type SessionMark,
} from "./session-document.ts";
import { SessionCache, type openSessionCache } from "./session-cache.ts";
import {
  createSessionId,
  keyLength,
  sessionKey,
  type SessionRecord,
  type ShopUser,
} from "./session-record.ts";
import {
  endOfSession,
  isMark,
  SessionEndedError,
  toFound,
  type Found,
  type RecordChange,
  type LoadedSession,
  type SessionSettings,
} from "./session.ts";
import type { openStrategyCache } from "./strategy-cache.ts";
import type { UserSession } from "./user-index.ts";
import type { UserSessionIndex } from "./user-sessions.ts";

/**
 * The records of one shop's sessions, each under the random part of its ID, and the index of their users. A record of
 * an earlier generation counts as absent.
 * @throws StorageUnavailableError from all methods
 */
export class SessionRecords {
  readonly shopId: number;
  readonly #documents: Collection<SessionDocument>;
  readonly settings: SessionSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly users: UserSessionIndex;
  /** The cache in this process's memory, if there is one. */
  readonly cache: SessionCache | undefined;
  readonly #strategy: ReturnType<typeof openStrategyCache> | undefined;

  constructor(
    shopId: number,
    users: UserSessionIndex,
    settings: SessionSettings,
    cache?: ReturnType<typeof openSessionCache>,
  ) {
    this.shopId = shopId;
    this.clock = users.store.clock;
    this.random = users.store.random;
    this.#documents = openSessionDocuments(users.store, shopId);
    this.users = users;
    this.settings = settings;
    if (cache instanceof SessionCache) this.cache = cache;
    else this.#strategy = cache;
  }

  /** Reads the record of exactly this ID, or its mark. */
  async read(id: string): Promise<Found | undefined> {
    const key = sessionKey(id);
    if (key === undefined) return undefined;
    const { cache } = this;
    if (cache === undefined) return this.#read(id, key);
    return cache.peek(id) ?? cache.fill(key, () => this.#read(id, key));
  }

  /** The same, past all caches. */
  async readStored(id: string): Promise<Found | undefined> {
    const key = sessionKey(id);
    return key === undefined ? undefined : this.#readStored(id, key);
  }

  /** Stores a new record; a copy keeps its generation. */
  async create(record: SessionRecord): Promise<LoadedSession> {
    const expiresAt = endOfSession(record, this.settings, this.clock.now());
    const created = () => ({ set: record, expiresAt });
    const snapshot = await this.#documents.update(keyOf(record), created, absent);
    return toFound(snapshot, this.settings) as LoadedSession;
  }

  /** Stores the record of a new session. @param complete adds the other fields */
  async begin(
    user: ShopUser | undefined,
    handle: string,
    complete: RecordChange,
  ): Promise<LoadedSession> {
    const generations = await this.users.generations.ensure(this.shopId);
    const { id: generation, legacy } = generationOf(generations, this.shopId) ?? {};
    const blank: SessionRecord = {
      id: createSessionId(user, this.random),
      createdAt: this.clock.now(),
      generation,
      // In a rolling upgrade, servers of earlier versions read the number.
      ...(legacy && { epoch: legacy }),
      handle,
      ownerKey: handle,
      ...(user && { user }),
      customData: {},
    };
    return this.create(complete(blank));
  }

  /**
   * Changes a record, and extends its lifetime if that is due.
   * @returns the session, or the mark that replaces it
   * @throws SessionEndedError if the record is gone: a change never restores it
   */
  async change(session: LoadedSession, change: RecordChange): Promise<Found> {
    const extension = this.extensionOf(session);
    const known = this.users.generations.current();
    const generations = known instanceof Promise ? await known : known;
    const snapshot = await this.#documents.update(
      keyOf(session.record),
      (current, { expiresAt = 0, version }) => {
        // A cached session was out of date.
        if (version !== session.snapshot.version) this.#strategy?.forget(keyOf(session.record));
        if (current?.mark !== undefined) return "keep";
        if (current === undefined || isOutdated(generations, this.shopId, current)) {
          throw new SessionEndedError();
        }
        const changed = change(current);
        if (extension === undefined)
          return changed === current ? "keep" : { set: changed, expiresAt };
        const { lastSeenAt, expiresAt: extended } = extension;
        return { set: { ...changed, lastSeenAt }, expiresAt: Math.max(extended, expiresAt) };
      },
      session.snapshot,
    );
    return toFound(snapshot, this.settings) as Found;
  }

  /** The new lifetime of a session that is used now, if an extension is due. */
  extensionOf({ record, expiresAt, extendAt }: LoadedSession) {
    const now = this.clock.now();
    if (now < extendAt) return undefined;
    const extended = endOfSession(record, this.settings, now);
    return { lastSeenAt: now, expiresAt: Math.max(extended, expiresAt) };
  }

  /**
   * Replaces a record by a mark, if the record is still as it was read.
   * @returns the content after that, if there is any
   */
  async replace(
    { record, snapshot, expiresAt }: LoadedSession,
    mark: SessionMark,
  ): Promise<Found | undefined> {
    const end = mark.mark === "renewed" ? expiresAt : this.clock.now() + graceMilliseconds;
    try {
      const replaced = await this.#documents.update(
        keyOf(record),
        (_, { version }) => (version === snapshot.version ? { set: mark, expiresAt: end } : "keep"),
        snapshot,
      );
      return toFound(replaced, this.settings);
    } catch (error) {
      // The storage can have written the mark before it failed.
      const found = await this.read(record.id).catch(() => undefined);
      if (found === undefined || successorOf(found) !== successorOf(mark)) throw error;
      return found;
    }
  }

  /**
   * Replaces a record by a mark, even if it has changed since it was read.
   * @returns the content before, if there was any; a mark stays
   */
  async overwrite(
    { record, snapshot }: LoadedSession,
    mark: SessionMark,
  ): Promise<Found | undefined> {
    let before: Snapshot<SessionDocument> = snapshot;
    try {
      await this.#documents.update(keyOf(record), (current, stored) => {
        before = stored;
        if (current === undefined || current.mark !== undefined) return "keep";
        return { set: mark, expiresAt: this.clock.now() + graceMilliseconds };
      });
    } catch (error) {
      // The storage can have written the mark before it failed.
      const found = await this.read(record.id).catch(() => undefined);
      if (found === undefined || successorOf(found) !== successorOf(mark)) throw error;
    }
    return toFound(before, this.settings);
  }

  /** Ends a record, even if it has changed since it was read. @returns the content before, if there was any */
  async end({ record, snapshot }: LoadedSession): Promise<Found | undefined> {
    return toFound(
      await endDocument(this.#documents, keyOf(record), this.clock, snapshot),
      this.settings,
    );
  }

  /** The session or the mark to which a chain of renewed IDs leads. */
  async follow(start: Found | undefined): Promise<Found | undefined> {
    let found = start;
    while (found !== undefined && isMark(found) && found.mark === "renewed") {
      found = await this.read(found.to);
    }
    return found;
  }

  /** Removes a record without leaving a mark. */
  async remove({ record }: LoadedSession): Promise<void> {
    await this.#documents.take(keyOf(record));
  }

  /** The entry of a session in its user's index. */
  toIndexEntry({ record, expiresAt }: LoadedSession): UserSession {
    const { id, createdAt, generation, epoch, lastSeenAt = createdAt } = record;
    const shopId = this.shopId;
    return { id, shopId, createdAt, generation, epoch, lastSeenAt, expiresAt };
  }

  async #read(id: string, key: string): Promise<Found | undefined> {
    // Its generation was current when it was cached.
    const cached = this.#strategy && (await this.#strategy.find(key));
    if (cached?.value?.id === id) return toFound(cached, this.settings);
    return this.#readStored(id, key);
  }

  async #readStored(id: string, key: string): Promise<Found | undefined> {
    // Only a strategy uses the time, and reading the clock takes 0.1 µs.
    const readAt = this.#strategy === undefined ? 0 : this.clock.now();
    const reading = this.#documents.get(key);
    const current = this.users.generations.current();
    const [snapshot, known] =
      current instanceof Promise ? await Promise.all([reading, current]) : [await reading, current];
    const found = toFound(snapshot, this.settings);
    if (found === undefined || isMark(found)) return found;
    const { record } = found;
    if (record.id !== id) return undefined;
    // An older session arrived before its shop has a generation.
    const isToBeMade =
      record.generation === undefined && generationOf(known, this.shopId) === undefined;
    const generations = isToBeMade ? await this.users.generations.ensure(this.shopId) : known;
    if (isOutdated(generations, this.shopId, record)) {
      return isJustAdvanced(generations, this.shopId, this.clock.now())
        ? { mark: "ended" }
        : undefined;
    }
    this.#strategy?.keep(key, found.snapshot, readAt);
    return found;
  }
}

/**
 * How often a move of a session copies changes of parallel calls before it replaces the record by a mark. After that, it
 * replaces the record first, or a client that writes all the time could prevent the move.
 */
export const maxCopies = 8;

/** The new ID of the session, by the mark under its old ID. */
export function successorOf(found: Found): string | undefined {
  if (!isMark(found)) return undefined;
  if (found.mark === "renewed") return found.to;
  return found.mark === "retired" ? found.for : undefined;
}

// --- Internal helpers ---

function keyOf({ id }: SessionRecord): string {
  return id.slice(-keyLength);
}

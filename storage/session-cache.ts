import { LRUCache } from "lru-cache";
import type { ChangeFeed } from "./changes.ts";
import type { Snapshot } from "./documents.ts";
import { isStoredRecord, toWhole, type StoredRecord } from "./record-documents.ts";
import type {
  CachedSession,
  CachedSessionUser,
  SessionCacheStrategy,
} from "./session-cache-strategy.ts";
import { isSessionRecord, type SessionRecord, type ShopUser } from "./session-record.ts";

/** How a shop's sessions are cached. */
export interface SessionCacheOptions {
  /** Seconds until an entry is read anew. */
  readonly ttl: number;
  /** The most entries that are trusted at a time. */
  readonly max: number;
  readonly strategy: SessionCacheStrategy;
}

/** Reads a session where the cache has none. */
export type ReadSession = (key: string) => Promise<Snapshot<SessionRecord>>;

/**
 * A cache of one shop's sessions, which is never the authority.
 *
 * It trusts an entry only at the version that this process itself has read since the storage last told of
 * a change; so a strategy that is slow, fails, or keeps what it should have dropped revives nothing. While
 * the storage's changes cannot be heard, everything is read from the storage.
 */
export class SessionCache {
  readonly #shopId: number;
  readonly #options: SessionCacheOptions;
  readonly #feed: ChangeFeed;
  readonly #prefix: string;
  /** The versions that are known to be current, by key. */
  readonly #current: LRUCache<string, string>;
  /** The reads that are under way, by key; a change takes its key out. */
  readonly #reading = new Map<string, symbol>();

  constructor(shopId: number, feed: ChangeFeed, options: SessionCacheOptions) {
    this.#shopId = shopId;
    this.#feed = feed;
    this.#options = options;
    this.#prefix = `session:${shopId}:`;
    // By size: a bound by number is allocated at once, and filled anew whenever the last entry goes.
    this.#current = new LRUCache({ maxSize: options.max, sizeCalculation: () => 1 });
    feed.listen((path, current) => this.#follow(path, current));
  }

  /** The session of this key, from the cache where that can be trusted. */
  read(key: string, read: ReadSession): Snapshot<SessionRecord> | Promise<Snapshot<SessionRecord>> {
    if (!this.#feed.isUp()) return read(key);
    const version = this.#current.get(key);
    if (version === undefined) return this.#fill(key, read);
    const entry = inTime(() => this.#options.strategy.get(key));
    return entry instanceof Promise
      ? entry.then((late) => this.#check(late, key, version) ?? this.#fill(key, read))
      : (this.#check(entry, key, version) ?? this.#fill(key, read));
  }

  #check(
    entry: CachedSession | undefined,
    key: string,
    version: string,
  ): Snapshot<SessionRecord> | undefined {
    const isUsable =
      entry?.version === version &&
      isSessionRecord(entry.record) &&
      entry.cacheExpiry * 1000 > Date.now() &&
      this.#current.get(key) === version &&
      this.#feed.isUp();
    if (!isUsable) return undefined;
    // A strategy that keeps JSON gives a text back.
    const expiresAt = new Date(entry.expires).getTime();
    if (!(expiresAt > Date.now())) return undefined;
    return { value: entry.record, version, expiresAt };
  }

  async #fill(key: string, read: ReadSession): Promise<Snapshot<SessionRecord>> {
    const mark = Symbol(key);
    this.#reading.set(key, mark);
    try {
      const snapshot = await read(key);
      // A change that came between may be missing in what was read.
      if (this.#reading.get(key) === mark && this.#feed.isUp()) this.#keep(key, snapshot);
      return snapshot;
    } finally {
      if (this.#reading.get(key) === mark) this.#reading.delete(key);
    }
  }

  #keep(key: string, { value: record, version, expiresAt }: Snapshot<SessionRecord>): void {
    if (record === undefined || expiresAt === undefined) return;
    this.#current.set(key, version);
    const { user, belongings } = record;
    void inTime(() =>
      this.#options.strategy.set({
        cacheExpiry: Date.now() / 1000 + this.#options.ttl,
        id: record.id,
        token: key,
        expires: new Date(expiresAt),
        activeChannelId: this.#shopId,
        activeOrderId: belongings?.basket,
        authenticationStrategy: user && "native",
        user: user && toCachedUser(user),
        record,
        version,
      }),
    );
  }

  #follow(path: string | undefined, current: Snapshot<unknown> | undefined): void {
    if (path === undefined) {
      this.#current.clear();
      this.#reading.clear();
      void inTime(() => this.#options.strategy.clear());
      return;
    }
    if (!path.startsWith(this.#prefix)) return;
    const key = path.slice(this.#prefix.length);
    this.#reading.delete(key);
    if (!this.#current.has(key)) return;
    if (isStoredRecord(current?.value)) {
      this.#keep(key, toWhole(key, current as Snapshot<StoredRecord>));
    } else {
      this.#current.delete(key);
      void inTime(() => this.#options.strategy.delete(key));
    }
  }
}

// --- Internal helpers ---

function toCachedUser({ id, email = String(id) }: ShopUser): CachedSessionUser {
  return { id, identifier: email, verified: true, channelPermissions: [] };
}

/** Milliseconds that a strategy may take; the storage itself is hardly slower. */
const patience = 50;

/** What a strategy answers; nothing where it fails or takes too long. */
function inTime<T>(ask: () => T | Promise<T>): T | undefined | Promise<T | undefined> {
  try {
    const answer = ask();
    return answer instanceof Promise ? orNothing(answer) : answer;
  } catch {
    return undefined;
  }
}

async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patience);
    });
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

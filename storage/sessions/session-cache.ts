import { LRUCache } from "lru-cache";
import type { ChangeFeed } from "../documents/changes.ts";
import type { Snapshot } from "../documents/documents.ts";
import { KeptSessions } from "./kept-sessions.ts";
import {
  isOfRecord,
  isStoredDocument,
  toWhole,
  type SessionDocument,
  type StoredDocument,
} from "./record-codec.ts";
import type { SessionCacheStrategy } from "./session-cache-strategy.ts";
import type { SessionRecord } from "./session-record.ts";

/** How a shop's sessions are cached. */
export interface SessionCacheOptions {
  /** Seconds until an entry is read anew. */
  readonly ttl: number;
  /** The most entries that are trusted at a time. */
  readonly max: number;
  /** Where entries are kept; absent: in this process. */
  readonly strategy?: SessionCacheStrategy | undefined;
}

/** Reads a session where the cache has none. */
export type ReadSession = (key: string) => Promise<Snapshot<SessionDocument>>;

/**
 * A cache of one shop's sessions, which is never the authority.
 *
 * It trusts an entry only at the version that this process itself has read, or has written where nobody else
 * does, since the storage last told of a change; so a strategy that is slow, fails, or keeps what it should
 * have dropped revives nothing. While the storage's changes cannot be heard, everything is read from the
 * storage.
 */
export class SessionCache {
  readonly #ttl: number;
  readonly #feed: ChangeFeed;
  readonly #prefix: string;
  readonly #kept: KeptSessions | undefined;
  readonly #current: LRUCache<string, Current>;
  /** The reads that are under way, by key; a change takes its key out. */
  readonly #reading = new Map<string, symbol>();

  constructor(shopId: number, feed: ChangeFeed, { ttl, max, strategy }: SessionCacheOptions) {
    this.#ttl = ttl * 1000;
    this.#feed = feed;
    this.#prefix = `session:${shopId}:`;
    this.#kept = strategy && new KeptSessions(shopId, ttl, strategy);
    // By size: a bound by number is allocated at once, and filled anew whenever the last entry goes.
    this.#current = new LRUCache({ maxSize: max, sizeCalculation: () => 1 });
    feed.listen((path, current) => this.#follow(path, current));
  }

  /** The session of this key, if this process keeps it and it can be trusted. */
  peek(key: string): Snapshot<SessionRecord> | undefined {
    if (!this.#feed.isUp()) return undefined;
    const current = this.#current.get(key);
    return current === undefined || isOver(current) ? undefined : current.snapshot;
  }

  /** The session of this key, from the cache where that can be trusted. */
  async read(key: string, read: ReadSession): Promise<Snapshot<SessionDocument>> {
    if (!this.#feed.isUp()) return read(key);
    const current = this.#current.get(key);
    if (current === undefined || isOver(current)) return this.#fill(key, read);
    const { snapshot, version } = current;
    const kept = snapshot ?? (await this.#kept?.find(key, version));
    const isCurrent = this.#current.get(key) === current && this.#feed.isUp();
    return kept !== undefined && isCurrent ? kept : this.#fill(key, read);
  }

  async #fill(key: string, read: ReadSession): Promise<Snapshot<SessionDocument>> {
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

  /** Reads marks from the storage each time, because few calls come with an ID that is no longer valid. */
  #keep(key: string, snapshot: Snapshot<SessionDocument>): void {
    this.#current.delete(key);
    if (!isOfRecord(snapshot) || snapshot.expiresAt === undefined) return;
    const { value, version, expiresAt } = snapshot;
    const until = Math.min(Date.now() + this.#ttl, expiresAt);
    const isHere = this.#kept === undefined;
    this.#current.set(key, { version, until, snapshot: isHere ? snapshot : undefined });
    this.#kept?.keep(key, { record: value, version, expiresAt });
  }

  #follow(path: string | undefined, changed: Snapshot<unknown> | undefined): void {
    if (path === undefined) {
      this.#current.clear();
      this.#reading.clear();
      this.#kept?.forgetAll();
      return;
    }
    if (!path.startsWith(this.#prefix)) return;
    const key = path.slice(this.#prefix.length);
    this.#reading.delete(key);
    if (!this.#current.has(key)) return;
    const isKnown = isStoredDocument(changed?.value);
    const current = isKnown ? toWhole(key, changed as Snapshot<StoredDocument>) : undefined;
    if (current !== undefined && isOfRecord(current)) {
      this.#keep(key, current);
    } else {
      this.#current.delete(key);
      this.#kept?.forget(key);
    }
  }
}

// --- Internal helpers ---

/** What is known of a session as long as no change is told. */
interface Current {
  readonly version: string;
  /** When it is read anew, in epoch milliseconds. */
  readonly until: number;
  /** Where no strategy keeps it. */
  readonly snapshot: Snapshot<SessionRecord> | undefined;
}

function isOver({ until }: Current): boolean {
  return until <= Date.now();
}

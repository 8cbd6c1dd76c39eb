import { LRUCache } from "lru-cache";
import type { ChangeFeed } from "../documents/changes.ts";
import type { Snapshot } from "../documents/documents.ts";
import {
  isOfRecord,
  isStoredDocument,
  toWhole,
  type SessionDocument,
  type StoredDocument,
} from "./record-codec.ts";
import type { SessionRecord } from "./session-record.ts";

/** The limits of a session cache. */
export interface SessionCacheOptions {
  /** Seconds until an entry is read again. */
  readonly ttl: number;
  /** The most entries; the least recently used are evicted first. */
  readonly max: number;
}

/** Reads a session that the cache doesn't have. */
export type ReadSession = (key: string) => Promise<Snapshot<SessionDocument>>;

/**
 * Caches one shop's sessions in this process. Every change removes or replaces its entry, whoever makes it. While the
 * storage pushes no changes, everything is read from the storage.
 */
export class SessionCache {
  readonly #ttl: number;
  readonly #feed: ChangeFeed;
  readonly #prefix: string;
  readonly #entries: LRUCache<string, Entry>;
  /** The reads in progress, by key; a change removes its key. */
  readonly #reading = new Map<string, symbol>();

  constructor(shopId: number, feed: ChangeFeed, { ttl, max }: SessionCacheOptions) {
    this.#ttl = ttl * 1000;
    this.#feed = feed;
    this.#prefix = `session:${shopId}:`;
    // Limited by size, because the cache allocates a limit by number immediately.
    this.#entries = new LRUCache({ maxSize: max, sizeCalculation: () => 1 });
    feed.listen((path, current) => this.#follow(path, current));
  }

  /** The cached session of a key. */
  peek(key: string): Snapshot<SessionRecord> | undefined {
    if (!this.#feed.isUp()) return undefined;
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= Date.now() ? undefined : entry.snapshot;
  }

  /** The session of a key, from the cache or the storage. */
  async read(key: string, read: ReadSession): Promise<Snapshot<SessionDocument>> {
    return this.peek(key) ?? (this.#feed.isUp() ? this.#fill(key, read) : read(key));
  }

  async #fill(key: string, read: ReadSession): Promise<Snapshot<SessionDocument>> {
    const mark = Symbol(key);
    this.#reading.set(key, mark);
    try {
      const snapshot = await read(key);
      // The snapshot may lack a change that came during the read.
      if (this.#reading.get(key) === mark && this.#feed.isUp()) this.#keep(key, snapshot);
      return snapshot;
    } finally {
      if (this.#reading.get(key) === mark) this.#reading.delete(key);
    }
  }

  /** Caches no marks, because few calls come with an ID that is no longer valid. */
  #keep(key: string, snapshot: Snapshot<SessionDocument>): void {
    this.#entries.delete(key);
    if (!isOfRecord(snapshot) || snapshot.expiresAt === undefined) return;
    const until = Math.min(Date.now() + this.#ttl, snapshot.expiresAt);
    this.#entries.set(key, { until, snapshot });
  }

  #follow(path: string | undefined, changed: Snapshot<unknown> | undefined): void {
    if (path === undefined) {
      this.#entries.clear();
      this.#reading.clear();
      return;
    }
    if (!path.startsWith(this.#prefix)) return;
    const key = path.slice(this.#prefix.length);
    this.#reading.delete(key);
    if (!this.#entries.has(key)) return;
    const isKnown = isStoredDocument(changed?.value);
    if (isKnown) this.#keep(key, toWhole(key, changed as Snapshot<StoredDocument>));
    else this.#entries.delete(key);
  }
}

// --- Internal helpers ---

interface Entry {
  /** When the entry is read again, in epoch milliseconds. */
  readonly until: number;
  readonly snapshot: Snapshot<SessionRecord>;
}

import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import type { ChangeFeed, DocumentStore, Snapshot } from "../documents/documents.ts";
import { generationsPrefix } from "./generations.ts";
import type { SessionCacheStrategy } from "./session-cache-strategy.ts";
import { isStoredDocument, toWhole, type StoredDocument } from "./session-document.ts";
import { keyLength } from "./session-record.ts";
import {
  isMark,
  toFound,
  type Found,
  type LoadedSession,
  type SessionSettings,
} from "./session.ts";
import { openStrategyCache } from "./strategy-cache.ts";

/**
 * Caches one shop's sessions in this process. Every change removes or replaces its entry, whoever makes it, and a
 * change of a generation removes all entries. While the storage pushes no changes, everything is read from the storage.
 */
export class SessionCache {
  readonly #settings: SessionSettings;
  readonly #ttl: number;
  readonly #clock: Clock;
  readonly #feed: ChangeFeed;
  readonly #prefix: string;
  readonly #entries: LRUCache<string, Entry>;
  /** The reads in progress, by key; a change removes its key. */
  readonly #reading = new Map<string, symbol>();

  /** @param limits `ttl`: seconds until an entry is read again; `max`: the most entries */
  constructor(
    shopId: number,
    feed: ChangeFeed,
    settings: SessionSettings,
    limits: { readonly ttl: number; readonly max: number },
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#ttl = limits.ttl * 1000;
    this.#feed = feed;
    this.#prefix = `session:${shopId}:`;
    // Limited by size, because the cache allocates a limit by number immediately.
    this.#entries = new LRUCache({ maxSize: limits.max, sizeCalculation: toSize });
    feed.listen((path, current) => this.#follow(path, current));
  }

  /** The cached session of exactly this ID. */
  peek(id: string): LoadedSession | undefined {
    if (!this.#feed.isUp()) return undefined;
    const entry = this.#entries.get(id.slice(-keyLength));
    if (entry === undefined || entry.until <= this.#clock.now()) return undefined;
    return entry.session.record.id === id ? entry.session : undefined;
  }

  /** Caches the session that `read` finds under a key. */
  async fill(key: string, read: () => Promise<Found | undefined>): Promise<Found | undefined> {
    if (!this.#feed.isUp()) return read();
    const mark = Symbol(key);
    this.#reading.set(key, mark);
    try {
      const found = await read();
      // The result may lack a change that came during the read.
      if (this.#reading.get(key) === mark && this.#feed.isUp()) this.#keep(key, found);
      return found;
    } finally {
      if (this.#reading.get(key) === mark) this.#reading.delete(key);
    }
  }

  /** Caches no marks, because few calls come with an ID that is no longer valid. */
  #keep(key: string, found: Found | undefined): void {
    this.#entries.delete(key);
    if (found === undefined || isMark(found) || found.expiresAt === Infinity) return;
    const until = Math.min(this.#clock.now() + this.#ttl, found.expiresAt);
    this.#entries.set(key, { until, session: found });
  }

  #follow(path: string | undefined, changed: Snapshot<unknown> | undefined): void {
    if (path === undefined || path.startsWith(generationsPrefix)) {
      this.#entries.clear();
      this.#reading.clear();
      return;
    }
    if (!path.startsWith(this.#prefix)) return;
    const key = path.slice(this.#prefix.length);
    this.#reading.delete(key);
    if (!this.#entries.has(key)) return;
    const isKnown = isStoredDocument(changed?.value);
    const current = isKnown ? toWhole(key, changed as Snapshot<StoredDocument>) : undefined;
    this.#keep(key, current && toFound(current, this.#settings));
  }
}

/**
 * Opens the cache of one shop's sessions, if the store learns of every change. With pushed changes of Redis, it saves a
 * round trip; in this process's memory, it saves the parsing.
 * @param settings `cache: false`: no cache; `cache.strategy` is used if the storage doesn't push the changes of other
 * processes
 */
export function openSessionCache(
  shopId: number,
  { capabilities, clock, isPrivate }: DocumentStore,
  feed: ChangeFeed,
  settings: SessionSettings & {
    readonly cache?:
      | {
          readonly ttl?: number | undefined;
          readonly max?: number | undefined;
          readonly strategy?: SessionCacheStrategy | undefined;
        }
      | false
      | undefined;
  },
) {
  const { cache } = settings;
  if (cache === false) return undefined;
  const isCluster = capabilities.atomic === "cluster";
  const { ttl, max = 10_000, strategy } = cache ?? {};
  if (isCluster && capabilities.changes === "unheard") {
    return strategy && openStrategyCache(shopId, feed, strategy, { ttl: ttl ?? 5, max }, clock);
  }
  if (cache === undefined && !isCluster && !isPrivate) return undefined;
  return new SessionCache(shopId, feed, settings, { ttl: ttl ?? 300, max }, clock);
}

// --- Internal helpers ---

interface Entry {
  readonly session: LoadedSession;
  /** When it is read again, in epoch milliseconds. */
  readonly until: number;
}

/** The characters of stored answers for which a session takes the room of one more. */
const answersPerRoom = 4096;

/** How much room an entry takes: most sessions have few answers, and a session with many must not count as one. */
function toSize({ session }: Entry): number {
  const { answers } = session.record;
  if (answers === undefined) return 1;
  const length = answers.reduce((sum, { body = "" }) => sum + body.length, 0);
  return 1 + Math.floor(length / answersPerRoom);
}

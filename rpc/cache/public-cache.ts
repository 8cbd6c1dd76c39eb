import { describeError, type Logger } from "../../shared/log.ts";
import type { RpcObserver } from "../rpc-observer.ts";
import type { CacheStorage } from "../../storage/cache/cache-storage.ts";
import type { Clock } from "../../storage/clock.ts";
import { isCurrent, type Invalidations } from "../../storage/cache/invalidations.ts";
import type { CommerceSystem } from "../commerce/commerce-system.ts";
import type { PublicShop } from "../shop.ts";
import { assertKey, assertTags, toLifetime } from "./cache-arguments.ts";
import { isAbort, type createCacheLoads } from "./cache-load.ts";
import type { CacheEntry, CacheMemory } from "./cache-memory.ts";
import type { Cached, CachedResult, CacheSource } from "./cached.ts";
import { freezeJson, toFrozenJson } from "./frozen-json.ts";

/** The cache of one shop's public reads: functions for contexts, made once at startup. */
export interface PublicCache {
  readonly cached: Cached;
  readonly invalidate: (tags: readonly string[]) => Promise<void>;
}

/** One read, with checked arguments. */
interface Read {
  readonly id: string;
  /** Milliseconds for which a value is fresh. */
  readonly lifetime: number;
  readonly load: (source: CacheSource) => unknown;
  /** The shop's invalidations when the read began; `undefined` if the storage fails. */
  readonly invalidations: Invalidations | undefined;
}

/** A load in progress, which equal reads share. */
interface Flight {
  readonly startedAt: number;
  readonly result: Promise<CacheEntry>;
}

/**
 * Creates the cache of one shop. A value is marked with the invalidations at the start of its load, and each read
 * compares its mark. So a value from before an invalidation is never used after it.
 * @param system that of the shop, if it has one
 * @param parts those that all shops share; `timeLimit`: of a load, in seconds
 */
export function createPublicCache(
  shop: PublicShop,
  storage: CacheStorage,
  system: CommerceSystem | undefined,
  parts: {
    readonly memory: CacheMemory;
    readonly loads: ReturnType<typeof createCacheLoads>;
    readonly timeLimit: number;
    readonly log: Logger;
    readonly clock: Clock;
    readonly observer?: RpcObserver | undefined;
  },
): PublicCache {
  const { memory, loads, timeLimit, log, clock, observer } = parts;
  const send = system?.fetch ?? fetchDirectly;
  const { shopId, locale, currency } = shop;
  const prefix = `${shopId}:${locale}:${currency}:`;
  const flights = new Map<string, Flight>();
  let warnedAt = -Infinity;

  async function cached<T>(
    key: string,
    ttl: number,
    load: (source: CacheSource) => T | Promise<T>,
  ): Promise<CachedResult<T>> {
    loads.assertOpen();
    assertKey(key);
    const lifetime = toLifetime(ttl);
    const id = prefix + key;
    for (;;) {
      const current = storage.current();
      const invalidations = current instanceof Promise ? await current : current;
      const read: Read = { id, lifetime, load, invalidations };
      const entry = memory.get(id);
      if (entry !== undefined && isUsable(entry, read)) {
        refreshIfStale(entry, read);
        observer?.cache(shopId, "hit");
        return entry.value as CachedResult<T>;
      }
      const flight = flights.get(id);
      if (flight === undefined || isLate(flight)) {
        const loaded = await begin(read, false).result;
        refreshIfStale(loaded, read);
        return loaded.value as CachedResult<T>;
      }
      const shared = await join(flight, read);
      if (shared === undefined) continue;
      observer?.cache(shopId, "hit");
      return shared.value as CachedResult<T>;
    }
  }

  async function invalidate(tags: readonly string[]): Promise<void> {
    assertTags(tags);
    if (tags.length === 0) return;
    try {
      await storage.invalidate(tags);
    } catch (error) {
      // While the storage is down, this process uses its memory.
      memory.deleteTagged(prefix, tags);
      throw error;
    }
  }

  /** @returns `undefined` if the read must try again: the load is too old for it, or ended with the call that began it */
  async function join(
    { result }: Flight,
    { invalidations }: Read,
  ): Promise<CacheEntry | undefined> {
    try {
      const entry = await result;
      return invalidations === undefined || isCurrent(entry, invalidations) ? entry : undefined;
    } catch (error) {
      if (isAbort(error)) return undefined;
      throw error;
    }
  }

  function begin(read: Read, isRefresh: boolean): Flight {
    const { id } = read;
    const flight: Flight = { startedAt: clock.monotonic(), result: run() };
    flights.set(id, flight);
    return flight;

    async function run(): Promise<CacheEntry> {
      try {
        return await fetchEntry(read, isRefresh);
      } finally {
        if (flights.get(id) === flight) flights.delete(id);
      }
    }
  }

  /** Takes the value that another process stored, or loads it. */
  async function fetchEntry(read: Read, isRefresh: boolean): Promise<CacheEntry> {
    const { id, lifetime, load, invalidations } = read;
    const snapshot = await storage.read(id);
    const stored = snapshot?.value;
    if (stored !== undefined && stored.id === id) {
      const { loadedAt, mark } = stored;
      const tags = new Set(stored.tags);
      const found = toEntry(stored.value, loadedAt, mark, tags);
      const isNewer = !isRefresh || ageOf(found) < lifetime;
      if (isNewer && isUsable(found, read)) {
        memory.set(id, found, freezeJson(stored.value).size);
        if (!isRefresh) observer?.cache(shopId, "hit");
        return found;
      }
    }
    const mark = invalidations && { series: invalidations.series, count: invalidations.count };
    observer?.cache(shopId, isRefresh ? "refresh" : "miss");
    const loadedAt = clock.now();
    const { value, tags } = await loads.run(shop, send, load);
    const json = toFrozenJson(value);
    const entry = toEntry(json?.value, loadedAt, mark, tags);
    if (json === undefined) return entry;
    const { bytes, size } = json;
    if (bytes > maxBytes) {
      warn("A value is too large for the cache", { id, bytes });
      return entry;
    }
    memory.set(id, entry, size);
    if (mark !== undefined) {
      const document = { id, loadedAt, mark, tags: [...tags], value: json.value };
      storage.write(document, bytes, loadedAt + 2 * lifetime, snapshot);
    }
    return entry;
  }

  function refreshIfStale(entry: CacheEntry, read: Read): void {
    if (ageOf(entry) < read.lifetime || flights.has(read.id)) return;
    const now = clock.now();
    if (now < entry.refreshAt) return;
    // If it succeeds, another entry replaces this one.
    entry.refreshAt = now + refreshPause;
    begin(read, true).result.catch((error: unknown) => {
      warn("A cached value could not be loaded again", {
        id: read.id,
        error: describeError(error),
      });
    });
  }

  /** Once a minute at most, because each read can have the same reason. */
  function warn(message: string, details: Record<string, unknown>): void {
    const now = clock.monotonic();
    if (now - warnedAt < warningInterval) return;
    warnedAt = now;
    log.warn(message, { shopId, ...details });
  }

  /** A load of a worker never ends if its request ended first. */
  function isLate({ startedAt }: Flight): boolean {
    return clock.monotonic() - startedAt > 2000 * timeLimit;
  }

  /** Milliseconds. A clock that was set back doesn't extend the life of a value for long. */
  function ageOf({ loadedAt }: CacheEntry): number {
    return Math.abs(clock.now() - loadedAt);
  }

  function isUsable(entry: CacheEntry, { lifetime, invalidations }: Read): boolean {
    if (ageOf(entry) >= 2 * lifetime) return false;
    if (invalidations === undefined) return true;
    if (!isCurrent(entry, invalidations)) return false;
    const { series, count } = invalidations;
    // The next read has fewer invalidations to compare.
    if ((entry.mark?.count ?? 0) < count) entry.mark = { series, count };
    return true;
  }

  return { cached, invalidate };
}

// --- Internal helpers ---

/** The most bytes of JSON in the cache: 1 MiB. */
const maxBytes = 1_048_576;

/** Milliseconds from a refresh that failed to the next one. */
const refreshPause = 1000;

/** Milliseconds from one warning of a shop to the next. */
const warningInterval = 60_000;

const fetchDirectly: CommerceSystem["fetch"] = (input, init, signal) =>
  fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([signal, init.signal]) : signal });

function toEntry(
  value: unknown,
  loadedAt: number,
  mark: CacheEntry["mark"],
  tags: CacheEntry["tags"],
): CacheEntry {
  return { value, tags, loadedAt, mark, refreshAt: 0 };
}

import { LRUCache } from "lru-cache";
import { systemClock, type Clock, type Timer } from "../clock.ts";
import type { ChangeFeed, Snapshot } from "../documents/documents.ts";
import { generationsPrefix } from "./generations.ts";
import type { SessionCacheStrategy } from "./session-cache-strategy.ts";
import { isSessionRecord, type SessionRecord } from "./session-record.ts";

/**
 * Caches one shop's sessions with a strategy, for a storage that doesn't push changes. After a change by this process,
 * it skips the cache for that session until older entries have expired: a late one can't undo the change.
 * @param feed the changes that this process makes below `session`
 * @param limits `ttl`: seconds that an entry may be used after the storage was read; `max`: the most own changes to
 * remember
 */
export function openStrategyCache(
  shopId: number,
  feed: ChangeFeed,
  strategy: SessionCacheStrategy,
  limits: { readonly ttl: number; readonly max: number },
  clock: Clock,
) {
  const ttl = limits.ttl * 1000;
  const prefix = `session:${shopId}:`;
  /**
   * Until when an entry can be older than a change by this process, in epoch milliseconds; by key. Limited by size,
   * because the cache allocates a limit by number immediately.
   */
  const changed = new LRUCache<string, number>({ maxSize: limits.max, sizeCalculation: () => 1 });
  /** The same, for all sessions. */
  let allChanged = 0;
  feed.listen((path) => {
    if (path?.startsWith(prefix)) {
      forget(path.slice(prefix.length));
    } else if (path === undefined || path.startsWith(generationsPrefix)) {
      allChanged = clock.now() + ttl;
      void inTime(() => strategy.clear());
    }
  });
  return {
    /** The cached session of a key. */
    async find(key: string): Promise<Snapshot<SessionRecord> | undefined> {
      if (isChanged(key)) return undefined;
      const entry = await inTime(() => strategy.get(key));
      if (entry === undefined || isChanged(key)) return undefined;
      const { record, version, cacheExpiry } = entry;
      // A strategy that stores JSON returns a string.
      const expiresAt = new Date(entry.expires).getTime();
      const isCurrent = Math.min(cacheExpiry * 1000, expiresAt) > clock.now();
      if (!isCurrent || typeof version !== "string" || !isSessionRecord(record)) return undefined;
      return { value: record, version, expiresAt };
    },

    /** Caches a valid session. @param readAt when the read of the storage began, in epoch milliseconds */
    keep(
      key: string,
      { value: record, version, expiresAt }: Snapshot<SessionRecord>,
      readAt: number,
    ): void {
      if (record === undefined || expiresAt === undefined || isChanged(key)) return;
      const cacheExpiry = (readAt + ttl) / 1000;
      const session = { cacheExpiry, token: key, expires: new Date(expiresAt), record, version };
      void inTime(() => strategy.set(session));
    },

    forget,
  };

  /** Reads a session from the storage until every entry that exists now has expired. */
  function forget(key: string): void {
    changed.set(key, clock.now() + ttl);
    void inTime(() => strategy.delete(key));
  }

  function isChanged(key: string): boolean {
    return clock.now() < Math.max(allChanged, changed.get(key) ?? 0);
  }
}

// --- Internal helpers ---

/** Milliseconds that a strategy may take; the storage itself is hardly slower. */
const timeLimit = 50;

/** The result of a strategy, or `undefined` if it fails or takes too long. */
async function inTime<T>(call: () => T | Promise<T>): Promise<T | undefined> {
  let timer: Timer | undefined;
  try {
    const result = call();
    if (!(result instanceof Promise)) return result;
    const late = new Promise<undefined>((resolve) => {
      timer = systemClock.setTimeout(() => resolve(undefined), timeLimit);
    });
    return await Promise.race([result, late]);
  } catch {
    return undefined;
  } finally {
    timer?.cancel();
  }
}

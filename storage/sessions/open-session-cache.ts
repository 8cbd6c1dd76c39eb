import type { ChangeFeed } from "../documents/changes.ts";
import type { DocumentStore } from "../documents/documents.ts";
import type { SessionCacheStrategy } from "./session-cache-strategy.ts";
import { SessionCache } from "./session-cache.ts";
import { StrategyCache } from "./strategy-cache.ts";

/** How a shop's sessions are cached. */
export interface SessionCacheSettings {
  /** Seconds. @default 300, and 5 with a strategy that is used */
  readonly ttl?: number | undefined;
  /** @default 10000 */
  readonly max?: number | undefined;
  /** Used if the storage doesn't push the changes of other processes. */
  readonly strategy?: SessionCacheStrategy | undefined;
}

/**
 * Opens the cache of one shop's sessions, if a cache can help.
 *
 * By default, sessions are cached if the store learns of every change: Redis pushes changes, and a cache saves a round
 * trip; in this process's memory, a cache saves the parsing.
 * @param settings `false`: no cache
 */
export function openSessionCache(
  shopId: number,
  { capabilities, isPrivate }: DocumentStore,
  feed: ChangeFeed,
  settings: SessionCacheSettings | false | undefined,
): SessionCache | StrategyCache | undefined {
  if (settings === false) return undefined;
  const isCluster = capabilities.atomic === "cluster";
  const { ttl, max = 10_000, strategy } = settings ?? {};
  if (isCluster && capabilities.changes === "unheard") {
    return strategy && new StrategyCache(shopId, feed, { ttl: ttl ?? 5, max, strategy });
  }
  if (settings === undefined && !isCluster && !isPrivate) return undefined;
  return new SessionCache(shopId, feed, { ttl: ttl ?? 300, max });
}

import type { Logger } from "../../shared/log.ts";
import type { RpcObserver } from "../rpc-observer.ts";
import type { Clock } from "../../storage/clock.ts";
import type { CacheStorage } from "../../storage/cache/cache-storage.ts";
import type { CommerceSystem } from "../commerce/commerce-system.ts";
import type { PublicShop } from "../shop.ts";
import { createCacheLoads } from "./cache-load.ts";
import { CacheMemory } from "./cache-memory.ts";
import { createPublicCache } from "./public-cache.ts";

/**
 * Creates the caches of public reads of all shops, which share the memory of this process.
 * @param options `timeLimit`: of a load, in seconds
 */
export function createPublicCaches(options: {
  readonly timeLimit: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: RpcObserver | undefined;
}) {
  const memory = new CacheMemory();
  const loads = createCacheLoads(options.timeLimit, options.clock);
  const parts = { ...options, memory, loads };
  return {
    open: (shop: PublicShop, storage: CacheStorage, system: CommerceSystem | undefined) =>
      createPublicCache(shop, storage, system, parts),

    /** Aborts the loads, and empties the memory. */
    close(): void {
      loads.close();
      memory.clear();
    },
  };
}

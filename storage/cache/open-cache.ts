import type { DocumentStore } from "../documents/documents.ts";
import { createLocalCacheStorage, type CacheStorage } from "./cache-storage.ts";
import { openSharedCache } from "./shared-cache.ts";

/** Opens the caches of the shops on a storage: shared, if several processes can change it. */
export function openCacheStorage(store: DocumentStore): (shopId: number) => CacheStorage {
  return store.capabilities.atomic === "cluster" ? openSharedCache(store) : createLocalCacheStorage;
}

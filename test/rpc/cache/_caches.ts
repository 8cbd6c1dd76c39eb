import { onTestFinished } from "vitest";
import type { Driver } from "unstorage";
import { createPublicCaches } from "../../../rpc/cache/public-caches.ts";
import type { PublicCache } from "../../../rpc/cache/public-cache.ts";
import { createLocalCacheStorage } from "../../../storage/cache/cache-storage.ts";
import { openSharedCache } from "../../../storage/cache/shared-cache.ts";
import { systemClock } from "../../../storage/clock.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog, type LogLine } from "../../../server/testing/test-log.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };

/** Opens the cache of a shop, as one process has it. @param driver of a shared storage; absent: the process is alone */
export function openCache(
  driver?: Driver,
  { timeLimit = 30, ...own }: { timeLimit?: number; locale?: string; currency?: string } = {},
): PublicCache & { readonly lines: readonly LogLine[]; close(): Promise<void> } {
  const { log, lines } = createTestLog();
  const caches = createPublicCaches({ timeLimit, log, clock: systemClock });
  const store = driver && openDocumentStore(driver, { log });
  const storage =
    store === undefined ? createLocalCacheStorage() : openSharedCache(store)(shop.shopId);
  const close = async () => {
    caches.close();
    await store?.close();
  };
  onTestFinished(close);
  return { ...caches.open({ ...shop, ...own }, storage, undefined), lines, close };
}

/** Waits for a number of macrotasks. */
export async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await new Promise(setImmediate);
}

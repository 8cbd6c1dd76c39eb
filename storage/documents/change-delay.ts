import { pause, systemClock } from "../clock.ts";
import { pingKey } from "./adapter.ts";
import type { DocumentStore } from "./documents.ts";

/** The longest time to wait for a change, in seconds. */
export const longestDelay = 2;

/**
 * Measures after how many seconds this process learns of a change in a storage that other processes write, too. It writes
 * the document of `ping`. A session that another server has ended stays usable here for about that time.
 * @returns `undefined` if the storage doesn't push changes; at most {@link longestDelay}
 * @throws StorageUnavailableError if the storage fails
 */
export async function measureChangeDelay(store: DocumentStore): Promise<number | undefined> {
  const { capabilities } = store;
  if (capabilities.atomic === "process" || capabilities.changes === "unheard") return undefined;
  const feed = store.watch(pingKey);
  const end = systemClock.monotonic() + longestDelay * 1000;
  try {
    while (!feed.isUp()) {
      if (systemClock.monotonic() > end) return longestDelay;
      await pause(10);
    }
    const start = systemClock.monotonic();
    const heard = new Promise<number>((resolve) => {
      const timer = systemClock.setTimeout(() => resolve(longestDelay), longestDelay * 1000);
      feed.listen((path) => {
        if (path !== pingKey) return;
        timer.cancel();
        resolve((systemClock.monotonic() - start) / 1000);
      });
    });
    await store.ping();
    return await heard;
  } finally {
    feed.close();
  }
}

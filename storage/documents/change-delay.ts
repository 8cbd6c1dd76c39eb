import { pause, systemClock } from "../clock.ts";
import type { DocumentStore } from "./documents.ts";

/**
 * Measures after how many seconds this process learns of a change in a storage that other processes write, too. It writes
 * a document of its own. A session that another server has ended stays usable here for about that time.
 * @returns `undefined` if the storage doesn't push changes; 2 if no change arrives in that time
 * @throws StorageUnavailableError if the storage fails
 */
export async function measureChangeDelay(store: DocumentStore): Promise<number | undefined> {
  const { capabilities } = store;
  if (capabilities.atomic === "process" || capabilities.changes === "unheard") return undefined;
  const key = store.random.uuid();
  const feed = store.watch(`${name}:${key}`);
  const end = systemClock.monotonic() + longestDelay * 1000;
  try {
    while (!feed.isUp()) {
      if (systemClock.monotonic() > end) return longestDelay;
      await pause(10);
    }
    const start = systemClock.monotonic();
    const heard = new Promise<number>((resolve) => {
      const timer = systemClock.setTimeout(() => resolve(longestDelay), longestDelay * 1000);
      let reports = 0;
      feed.listen((path) => {
        // The store itself reports its own change once, and the storage pushes it once.
        if (path === undefined || ++reports < 2) return;
        timer.cancel();
        resolve((systemClock.monotonic() - start) / 1000);
      });
    });
    const expiresAt = store.clock.now() + 60_000;
    await store.collection(name, isTrue).update(key, () => ({ set: true, expiresAt }));
    return await heard;
  } finally {
    feed.close();
  }
}

// --- Internal helpers ---

/** The longest time to wait for a change, in seconds. */
const longestDelay = 2;

const name = "change-delay";

function isTrue(value: unknown): value is true {
  return value === true;
}

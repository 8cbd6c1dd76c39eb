import { setTimeout as sleep } from "node:timers/promises";
import { StorageUnavailableError } from "../documents/unavailable.ts";

/**
 * Repeats a write whose loss can't be repaired, for example that of a rotated token, while the storage is unavailable:
 * for 5 seconds at most. The write must have the same effect twice as once.
 * @throws the last error
 */
export async function persist<T>(write: () => Promise<T>): Promise<T> {
  const end = performance.now() + maxTime;
  for (let pause = minPause; ; pause *= 2) {
    try {
      return await write();
    } catch (error) {
      const isOver = performance.now() + pause > end;
      if (isOver || !(error instanceof StorageUnavailableError)) throw error;
    }
    await sleep(pause);
  }
}

// --- Internal helpers ---

/** Milliseconds. */
const maxTime = 5000;
const minPause = 50;

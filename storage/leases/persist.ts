import { pause, systemClock } from "../clock.ts";
import { StorageUnavailableError } from "../documents/unavailable.ts";

/**
 * Repeats a write whose loss can't be repaired, for example that of a rotated token, while the storage is unavailable:
 * for 5 seconds of real time at most. The write must have the same effect twice as once.
 * @throws the last error
 */
export async function persist<T>(write: () => Promise<T>): Promise<T> {
  const end = systemClock.monotonic() + maxTime;
  for (let wait = minPause; ; wait *= 2) {
    try {
      return await write();
    } catch (error) {
      const isOver = systemClock.monotonic() + wait > end;
      if (isOver || !(error instanceof StorageUnavailableError)) throw error;
    }
    await pause(wait);
  }
}

// --- Internal helpers ---

/** Milliseconds. */
const maxTime = 5000;
const minPause = 50;

import { systemClock } from "../clock.ts";

/**
 * Remembers that a storage failed, so that callers who can do without it don't wait for it again. While it is down,
 * a read in the background finds out once a second of real time, at most, whether it works again.
 */
export function createOutage() {
  let isDown = false;
  let probedAt = -Infinity;
  return {
    isOn: () => isDown,

    /** Notes that the storage works. */
    end: () => void (isDown = false),

    /** Waits for an operation. @returns `undefined` if it fails */
    async watch<T>(operation: Promise<T>): Promise<T | undefined> {
      try {
        const result = await operation;
        isDown = false;
        return result;
      } catch {
        isDown = true;
        probedAt = systemClock.monotonic();
        return undefined;
      }
    },

    /** Tries an operation in the background. */
    probe(operation: () => Promise<unknown>): void {
      const now = systemClock.monotonic();
      if (now - probedAt < probeInterval) return;
      probedAt = now;
      operation().then(
        () => (isDown = false),
        () => undefined,
      );
    },
  };
}

// --- Internal helpers ---

/** Milliseconds from one probe to the next. */
const probeInterval = 1000;

import type { Collection, Counters, CounterState, Snapshot } from "./documents.ts";

/** Counts with documents. @param window seconds */
export function createDocumentCounters(counts: Collection<number>, window: number): Counters {
  return {
    // Waits for the additions that began before it, so that parallel guesses don't pass the limit.
    read: async (key) => toState(await counts.update(key, () => "keep")),
    add: async (key) =>
      toState(
        await counts.update(key, (count = 0, { expiresAt = Date.now() + window * 1000 }) => ({
          set: count + 1,
          expiresAt,
        })),
      ),
    async takeBack(key) {
      await counts.update(key, (count = 0, { expiresAt }) =>
        count === 0 ? "keep" : { set: count - 1, expiresAt },
      );
    },
    async clear(key) {
      await counts.update(key, (count) => (count === undefined ? "keep" : "remove"));
    },
  };
}

/** Whether a stored value is a count. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

// --- Internal helpers ---

function toState({ value: count = 0, expiresAt = 0 }: Snapshot<number>): CounterState {
  const endsIn = Math.max(0, Math.ceil((expiresAt - Date.now()) / 1000));
  return count === 0 || endsIn === 0 ? { count: 0, endsIn: 0 } : { count, endsIn };
}

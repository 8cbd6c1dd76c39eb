import type { Collection, Snapshot } from "./documents.ts";

/** The count of a key. */
export interface CounterState {
  readonly count: number;
  /** Whole seconds until the count is 0 again; 0 if it is 0. */
  readonly endsIn: number;
}

/**
 * Counts by key. A count ends a fixed time after its first addition. Keys are those of documents.
 * All methods throw StorageUnavailableError.
 */
export interface Counters {
  read(key: string): Promise<CounterState>;
  /** Adds one. @returns the state after that: parallel additions get different counts */
  add(key: string): Promise<CounterState>;
  /** Subtracts one, unless the count is 0. */
  takeBack(key: string): Promise<void>;
  /** Sets a count to 0. */
  clear(key: string): Promise<void>;
}

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

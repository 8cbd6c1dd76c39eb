import { RateLimiterMemory } from "rate-limiter-flexible";

/** How often a key was counted, and for how long that stands. */
export interface CounterState {
  readonly count: number;
  /** Whole seconds until the count is 0 again; 0 where it is. */
  readonly endsIn: number;
}

/**
 * Counts attempts by key; a key's count ends a fixed time after its first. Keys are those of documents.
 * All methods throw StorageUnavailableError.
 */
export interface Counters {
  read(key: string): Promise<CounterState>;
  /** Counts one. @returns the state with it: of several at once, each has a number of its own */
  add(key: string): Promise<CounterState>;
  /** Counts one less, where there are any. */
  takeBack(key: string): Promise<void>;
  /** Sets a count to 0. */
  clear(key: string): Promise<void>;
}

/** Counts attempts in this process. @param window seconds */
export function createMemoryCounters(window: number): Counters {
  // The caller of the counts knows their limits.
  const limiter = new RateLimiterMemory({ points: 0, duration: window });
  const read = async (key: string) => toState(await limiter.get(key));
  return {
    read,
    add: async (key) => toState(await limiter.penalty(key)),
    async takeBack(key) {
      // One less than none would allow one more.
      if ((await read(key)).count > 0) await limiter.reward(key);
    },
    async clear(key) {
      await limiter.delete(key);
    },
  };
}

// --- Internal helpers ---

interface Counted {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
}

function toState(counted: Counted | null): CounterState {
  // In memory, what is over is removed by a timer, which may be late.
  if (counted === null || counted.msBeforeNext <= 0) return { count: 0, endsIn: 0 };
  return { count: counted.consumedPoints, endsIn: Math.ceil(counted.msBeforeNext / 1000) };
}

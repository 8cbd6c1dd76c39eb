import {
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterAbstract,
} from "rate-limiter-flexible";
import type { Ask } from "./redis-ask.ts";
import type { RedisClient } from "./redis-client.ts";

/** How often a key was counted, and for how long that stands. */
export interface Tally {
  readonly count: number;
  /** Whole seconds until the count is 0 again; 0 where it is. */
  readonly endsIn: number;
}

/**
 * Counts attempts by key; a key's count ends a fixed time after its first. Keys are those of documents.
 * All methods throw StorageUnavailableError.
 */
export interface Attempts {
  read(key: string): Promise<Tally>;
  /** Counts one. @returns the tally with it: of several at once, each has a number of its own */
  add(key: string): Promise<Tally>;
  /** Counts one less, where there are any. */
  takeBack(key: string): Promise<void>;
  /** Sets a count to 0. */
  clear(key: string): Promise<void>;
}

/** Counts attempts in this process. @param window seconds */
export function createMemoryAttempts(window: number): Attempts {
  const limiter = new RateLimiterMemory({ ...unused, duration: window });
  return toAttempts(
    limiter,
    (key) => limiter.get(key),
    (count) => count(),
  );
}

/**
 * Counts attempts for every process on a Redis, each by one command on a single key.
 * @param prefix of the keys in Redis, without the colon
 * @param window seconds
 */
export function createRedisAttempts(
  client: RedisClient,
  prefix: string,
  window: number,
  ask: Ask,
): Attempts {
  const limiter = new RateLimiterRedis({
    ...unused,
    storeClient: client,
    keyPrefix: prefix,
    duration: window,
    customIncrTtlLuaScript: countScript,
  });
  // The library reads by a transaction, which is four commands.
  return toAttempts(limiter, (key) => limiter.penalty(key, 0), ask);
}

// --- Internal helpers ---

/** Who asks for the counts knows their limits. */
const unused = { points: 0 };

/** Adds to a count. To read one, it adds 0, which begins none. */
const countScript = `
if ARGV[1] == "0" and redis.call("EXISTS", KEYS[1]) == 0 then return { 0, 0 } end
local count = redis.call("INCRBY", KEYS[1], ARGV[1])
local left = redis.call("PTTL", KEYS[1])
if left < 0 then
  redis.call("EXPIRE", KEYS[1], ARGV[2])
  left = 1000 * ARGV[2]
end
return { count, left }
`;

interface Counted {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
}

function toAttempts(
  limiter: RateLimiterAbstract,
  read: (key: string) => Promise<Counted | null>,
  ask: Ask,
): Attempts {
  const readTally = async (key: string) => toTally(await ask(() => read(key)));
  return {
    read: readTally,
    add: async (key) => toTally(await ask(() => limiter.penalty(key))),
    async takeBack(key) {
      // One less than none would allow one more.
      if ((await readTally(key)).count > 0) await ask(() => limiter.reward(key));
    },
    async clear(key) {
      await ask(() => limiter.delete(key));
    },
  };
}

function toTally(counted: Counted | null): Tally {
  // In memory, what is over is removed by a timer, which may be late.
  if (counted === null || counted.msBeforeNext <= 0) return { count: 0, endsIn: 0 };
  return { count: counted.consumedPoints, endsIn: Math.ceil(counted.msBeforeNext / 1000) };
}

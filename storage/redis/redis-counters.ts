import type { Counters, CounterState } from "../documents/documents.ts";
import type { Logger } from "../../shared/log.ts";
import { countScript, takeScript, type RedisScript } from "./redis-scripts.ts";

/** The dependencies of counts in Redis. */
export interface RedisCountersOptions {
  run(script: RedisScript, path: string, args: string[]): Promise<unknown>;
  readonly log: Logger;
}

/**
 * Counts attempts for every process on a Redis, each with one command on a single key. If a value is no count, calls
 * fail until the window has passed. Otherwise an attacker could reset a limit by corrupting it.
 *
 * @param name prefix of the keys, before a colon
 * @param window seconds
 */
export function createRedisCounters(
  name: string,
  window: number,
  { run, log }: RedisCountersOptions,
): Counters {
  return {
    read: (key) => add(key, 0),
    add: (key) => add(key, 1),
    async takeBack(key) {
      await add(key, -1);
    },
    async clear(key) {
      await run(takeScript, `${name}:${key}`, []);
    },
  };

  async function add(key: string, count: number): Promise<CounterState> {
    const args = [String(count), String(window)];
    const reply = (await run(countScript, `${name}:${key}`, args)) as readonly unknown[];
    // With the option `stringNumbers`, ioredis returns numbers as text.
    const [total, left = 0] = reply.map(Number);
    if (total === undefined) {
      log.warn(
        "A counter of login attempts is unreadable; calls that need it fail until its window has passed",
        { key: `${name}:${key}` },
      );
      throw new Error("Not a count");
    }
    return total <= 0 || left <= 0
      ? { count: 0, endsIn: 0 }
      : { count: total, endsIn: Math.ceil(left / 1000) };
  }
}

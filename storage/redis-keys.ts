import { joinKeys } from "unstorage";

/** Where documents are in a Redis: what commands name, and what Redis says of it. */
export interface RedisKeys {
  /** The key for a command, before the client puts its own `keyPrefix` there. */
  toCommand(path: string): string;
  /** The key in Redis. */
  toServer(path: string): string;
  /** The path of a key in Redis that begins as `toServer` has it. */
  fromServer(key: string): string;
}

/**
 * Makes the keys of unstorage's redis driver.
 *
 * @param base of the driver
 * @param keyPrefix of ioredis, which adds it to the keys of commands only
 */
export function createRedisKeys(base = "", keyPrefix: string | Uint8Array = ""): RedisKeys {
  const joined = joinKeys(base);
  // As the driver joins them; our own paths need no more than this before them.
  const prefix = joined === "" ? "" : `${joined}:`;
  const whole = String(keyPrefix) + prefix;
  return {
    toCommand: (path) => prefix + path,
    toServer: (path) => whole + path,
    fromServer: (key) => key.slice(whole.length),
  };
}

import { joinKeys } from "unstorage";

/** The keys of documents in Redis: as commands name them, and as Redis reports them. */
export interface RedisKeys {
  /** The key for a command, before the client adds its `keyPrefix`. */
  toCommand(path: string): string;
  /** The key in Redis. */
  toServer(path: string): string;
  /** The path of a key that Redis reports. */
  fromServer(key: string): string;
}

/**
 * Creates the same keys as unstorage's redis driver.
 *
 * @param base of the driver
 * @param keyPrefix of ioredis, which adds it to the keys of commands only
 */
export function createRedisKeys(base = "", keyPrefix: string | Uint8Array = ""): RedisKeys {
  const joined = joinKeys(base);
  // The driver joins them in the same way; our paths need no other normalization.
  const prefix = joined === "" ? "" : `${joined}:`;
  const whole = String(keyPrefix) + prefix;
  return {
    toCommand: (path) => prefix + path,
    toServer: (path) => whole + path,
    fromServer: (key) => key.slice(whole.length),
  };
}

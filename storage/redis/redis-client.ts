import type { Cluster, ClusterOptions, Redis } from "ioredis";
import { joinKeys, type Driver } from "unstorage";

/**
 * A client of ioredis, for one server or for a cluster. The client of a cluster has nodes, and no stream of its own;
 * another client has no stream before it connects.
 */
export type RedisClient = Redis &
  Partial<Pick<Cluster, "nodes">> & { readonly options: Pick<ClusterOptions, "redisOptions"> };

/** unstorage's redis driver. */
export interface RedisDriver extends Driver {
  readonly options?: { readonly base?: string | undefined };
  readonly getInstance: () => RedisClient;
}

/** Whether a driver is unstorage's redis driver. */
export function isRedisDriver(driver: Driver): driver is RedisDriver {
  return driver.name === "redis" && driver.getInstance !== undefined;
}

/**
 * Creates the same keys as unstorage's redis driver.
 *
 * @param base of the driver
 * @param keyPrefix of ioredis, which adds it to the keys of commands only
 */
export function createRedisKeys(base = "", keyPrefix: string | Uint8Array = "") {
  const joined = joinKeys(base);
  // The driver joins them in the same way; the paths of documents need no other normalization.
  const prefix = joined === "" ? "" : `${joined}:`;
  const whole = String(keyPrefix) + prefix;
  return {
    /** The key for a command, before the client adds its `keyPrefix`. */
    toCommand: (path: string) => prefix + path,
    /** The key in Redis. */
    toServer: (path: string) => whole + path,
    /** The path of a key that Redis reports. */
    fromServer: (key: string) => key.slice(whole.length),
  };
}

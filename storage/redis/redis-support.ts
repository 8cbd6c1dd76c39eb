import type { Driver } from "unstorage";
import type { Capabilities } from "../documents/documents.ts";
import type { AdapterOptions, StorageAdapter } from "../documents/adapter.ts";
import { createRedisAdapter } from "./redis-adapter.ts";
import { isRedisDriver, type RedisDriver } from "./redis-client.ts";
import { findInvalidUrls, readRedisConnection } from "./redis-url.ts";

/** unstorage's redis driver, with its adapter and what is known of its options. */
export const redisSupport = {
  driver: "redis",
  isSupported: isRedisDriver,
  createAdapter: (driver: Driver, { log }: AdapterOptions): StorageAdapter =>
    createRedisAdapter(driver as RedisDriver, log),
  readConnection: readRedisConnection,
  findInvalidUrls,
  withDefaults: withRedisDefaults,
  /** The capabilities of a driver with these options, as its adapter has them. */
  capabilitiesOf: ({ cluster }: Options): Capabilities => ({
    atomic: "cluster",
    changes: cluster === undefined ? "pushed" : "unheard",
    ttl: "native",
  }),
};

// --- Internal helpers ---

type Options = Readonly<Record<string, unknown>>;

/**
 * Milliseconds, the unit of ioredis. It doesn't resend commands after a lost connection, because they may have run: a
 * write that runs twice would add to a basket twice.
 */
const defaults = {
  maxRetriesPerRequest: 1,
  commandTimeout: 1000,
  connectTimeout: 1000,
  autoResendUnfulfilledCommands: false,
};

function withRedisDefaults(options: Options): Options {
  if (options["cluster"] === undefined) return withDefaults(options);
  const clusterOptions = (options["clusterOptions"] ?? {}) as Options;
  const redisOptions = withDefaults((clusterOptions["redisOptions"] ?? {}) as Options);
  return { ...options, clusterOptions: { ...clusterOptions, redisOptions } };
}

/** The options over the defaults. An option that is `undefined` keeps its default. */
function withDefaults(options: Options): Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

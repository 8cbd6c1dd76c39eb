import type { RedisOptions } from "ioredis";
import type { Driver } from "unstorage";
import type { Capabilities } from "../documents/documents.ts";
import type { AdapterOptions, StorageAdapter } from "../documents/adapter.ts";
import { createRedisAdapter } from "./redis-adapter.ts";
import { isRedisDriver, type RedisDriver } from "./redis-client.ts";
import { findWrongRedisOptions } from "./redis-options.ts";
import { readNode } from "./redis-connections.ts";

/** unstorage's redis driver, with its adapter and the capabilities that its options imply. */
export const redisSupport = {
  driver: "redis",
  isSupported: isRedisDriver,
  createAdapter: (driver: Driver, options: AdapterOptions): StorageAdapter =>
    createRedisAdapter(driver as RedisDriver, options),
  readConnection,
  findInvalidUrls,
  findWrongOptions: findWrongRedisOptions,
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

/** Reads how unstorage's redis driver connects. Its options are those of ioredis. */
function readConnection(options: Options) {
  const { url, host, cluster, clusterOptions, sentinels } = options as {
    readonly url?: string;
    readonly host?: string;
    readonly cluster?: readonly unknown[];
    readonly clusterOptions?: { readonly redisOptions?: RedisOptions };
    readonly sentinels?: readonly unknown[];
  };
  const nodes = cluster ?? sentinels ?? [url ?? host ?? "localhost"];
  // ioredis reports an unreadable address.
  const unreadable = { host: "localhost", hasTls: false, hasPassword: false };
  const connections = nodes.map((node) => readNode(node) ?? unreadable);
  const own = cluster === undefined ? (options as RedisOptions) : clusterOptions?.redisOptions;
  return {
    hosts: connections.map((each) => each.host),
    hasTls: Boolean(own?.tls) || connections.every((each) => each.hasTls),
    hasPassword: Boolean(own?.password) || connections.every((each) => each.hasPassword),
  };
}

/** The options whose addresses can't be read. */
function findInvalidUrls({ url, cluster }: Options): string[] {
  const isClusterValid = !Array.isArray(cluster) || cluster.every(isRedisAddress);
  return [...(isRedisAddress(url) ? [] : ["url"]), ...(isClusterValid ? [] : ["cluster"])];
}

/**
 * Whether an address with a password is a valid URL. ioredis uses any other text as the path of a socket, and logs it.
 * Node prints a URL with an invalid port. Both would print the password.
 */
function isRedisAddress(address: unknown): boolean {
  if (typeof address !== "string" || !address.includes("@")) return true;
  if (address.includes("://")) return URL.canParse(address);
  return !address.includes("/") && URL.canParse(`redis://${address}`);
}

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

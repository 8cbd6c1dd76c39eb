import type { ClusterOptions } from "ioredis";
import type { RedisOptions } from "unstorage/drivers/redis";
import {
  findWrongOptions,
  type OptionNames,
  type Synonyms,
  type WrongOption,
} from "../documents/driver-options.ts";

/** Finds options that unstorage's redis driver and ioredis would ignore, although they are meant for them. */
export function findWrongRedisOptions(
  options: Readonly<Record<string, unknown>>,
): readonly WrongOption[] {
  const { cluster, sentinels } = options;
  const clusterOptions = toObject(options["clusterOptions"]);
  return [
    ...findWrongOptions(options, redisNames, synonyms),
    // Like unstorage, which uses no cluster for `null` or `false`.
    ...(cluster ? findMisplaced(options) : []),
    ...ofNodes("cluster", cluster),
    ...ofNodes("sentinels", sentinels),
    ...findWrongOptions(clusterOptions, clusterNames, {}, ["clusterOptions"]),
    ...findWrongOptions(toObject(clusterOptions["redisOptions"]), redisNames, synonyms, [
      "clusterOptions",
      "redisOptions",
    ]),
  ];
}

// --- Internal helpers ---

/** Names of other clients, and of other drivers. */
const synonyms: Synonyms = {
  url: ["uri", "redisUrl", "connectionString", "connection", "address", "endpoint", "dsn"],
  host: ["hostname", "server", "socket"],
  username: ["user"],
  password: ["pass", "passwd", "pwd", "auth", "authPass", "auth_pass"],
  db: ["database", "databaseIndex", "dbIndex", "dbNumber"],
  base: ["prefix", "namespace"],
  tls: ["ssl"],
  cluster: ["nodes", "rootNodes", "startupNodes", "clusterNodes"],
};

const redisNames: OptionNames<RedisOptions> = {
  autoPipeliningIgnoredCommands: true,
  autoResendUnfulfilledCommands: true,
  autoResubscribe: true,
  base: true,
  blockingTimeout: true,
  blockingTimeoutGrace: true,
  clientInfoTag: true,
  cluster: true,
  clusterOptions: true,
  commandQueue: true,
  commandTimeout: true,
  connectTimeout: true,
  connectionName: true,
  Connector: true,
  db: true,
  disableClientInfo: true,
  disconnectTimeout: true,
  enableAutoPipelining: true,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  enableTLSForSentinelMode: true,
  failoverDetector: true,
  family: true,
  host: true,
  keepAlive: true,
  keyPrefix: true,
  lazyConnect: true,
  maxLoadingRetryTime: true,
  maxRetriesPerRequest: true,
  monitor: true,
  name: true,
  natMap: true,
  noDelay: true,
  offlineQueue: true,
  password: true,
  path: true,
  port: true,
  preConnect: true,
  preferredSlaves: true,
  readOnly: true,
  reconnectOnError: true,
  retryStrategy: true,
  role: true,
  scanCount: true,
  scripts: true,
  sentinelCommandTimeout: true,
  sentinelMaxConnections: true,
  sentinelPassword: true,
  sentinelReconnectStrategy: true,
  sentinelRetryStrategy: true,
  sentinels: true,
  sentinelTLS: true,
  sentinelUsername: true,
  showFriendlyErrorStack: true,
  socketTimeout: true,
  stringNumbers: true,
  tls: true,
  ttl: true,
  updateSentinels: true,
  url: true,
  username: true,
};

const clusterNames: OptionNames<ClusterOptions> = {
  autoPipeliningIgnoredCommands: true,
  clusterRetryStrategy: true,
  dnsLookup: true,
  enableAutoPipelining: true,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  keyPrefix: true,
  lazyConnect: true,
  maxRedirections: true,
  natMap: true,
  redisOptions: true,
  resolveSrv: true,
  retryDelayOnClusterDown: true,
  retryDelayOnFailover: true,
  retryDelayOnMoved: true,
  retryDelayOnTryAgain: true,
  scaleReads: true,
  scripts: true,
  shardedSubscribers: true,
  showFriendlyErrorStack: true,
  slotsRefreshInterval: true,
  slotsRefreshTimeout: true,
  useSRVRecords: true,
};

/**
 * unstorage passes the options of a connection to a cluster only from `clusterOptions`. An empty one has no effect
 * anywhere, for example a password from an unset variable.
 */
function findMisplaced(options: Readonly<Record<string, unknown>>): readonly WrongOption[] {
  return Object.entries(ofCluster)
    .filter(([name]) => Boolean(options[name]))
    .map(([name, meant]) => ({ path: [name], meant }));
}

/** By the name of the option without a cluster. */
const ofCluster: Readonly<Record<string, string>> = {
  username: "clusterOptions.redisOptions.username",
  password: "clusterOptions.redisOptions.password",
  tls: "clusterOptions.redisOptions.tls",
  keyPrefix: "clusterOptions.keyPrefix",
};

/** Each node can be an address, or an object of options. */
function ofNodes(name: string, nodes: unknown): readonly WrongOption[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown, index) =>
    findWrongOptions(toObject(node), redisNames, synonyms, [name, index]),
  );
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** How a driver connects to Redis. */
export interface RedisConnectionInfo {
  readonly hosts: readonly string[];
  readonly hasTls: boolean;
  readonly hasPassword: boolean;
}

/** Reads the options of unstorage's Redis driver, which are those of ioredis. */
export function readRedisConnection(
  options: Readonly<Record<string, unknown>>,
): RedisConnectionInfo {
  const { url, host = "localhost", cluster, clusterOptions, sentinels } = options as DriverOptions;
  const nodes = cluster ?? sentinels ?? [url ?? host];
  const connections = nodes.map(readNode);
  const own = (cluster === undefined ? options : clusterOptions?.redisOptions) as RedisOptions;
  return {
    hosts: connections.map((each) => each.host),
    hasTls: Boolean(own?.tls) || connections.every((each) => each.hasTls),
    hasPassword: Boolean(own?.password) || connections.every((each) => each.hasPassword),
  };
}

/** The options whose addresses can't be read. */
export function findInvalidUrls({ url, cluster }: Readonly<Record<string, unknown>>): string[] {
  const isClusterValid = !Array.isArray(cluster) || cluster.every(isRedisAddress);
  return [...(isRedisAddress(url) ? [] : ["url"]), ...(isClusterValid ? [] : ["cluster"])];
}

// --- Internal helpers ---

type RedisOptions = { readonly tls?: unknown; readonly password?: unknown } | undefined;

type Node = string | number | ({ readonly host?: string } & RedisOptions);

interface DriverOptions {
  readonly url?: string;
  readonly host?: string;
  readonly cluster?: readonly Node[];
  readonly clusterOptions?: { readonly redisOptions?: RedisOptions };
  readonly sentinels?: readonly Node[];
}

function readNode(node: Node) {
  if (typeof node === "object") {
    const { host = "localhost", tls, password } = node;
    return { host, hasTls: Boolean(tls), hasPassword: Boolean(password) };
  }
  const text = String(node);
  const address = text.includes("//") ? text : `redis://${text}`;
  // ioredis reports an invalid address. An address without a host is the path of a socket.
  if (!URL.canParse(address)) return { host: "localhost", hasTls: false, hasPassword: false };
  const { hostname, password, protocol } = new URL(address);
  const host = hostname || "localhost";
  return { host, hasTls: protocol === "rediss:", hasPassword: password !== "" };
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

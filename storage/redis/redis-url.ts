import type { RedisOptions } from "ioredis";

/** Reads how unstorage's redis driver connects. Its options are those of ioredis. */
export function readRedisConnection(options: Readonly<Record<string, unknown>>) {
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
export function findInvalidUrls({ url, cluster }: Readonly<Record<string, unknown>>): string[] {
  const isClusterValid = !Array.isArray(cluster) || cluster.every(isRedisAddress);
  return [...(isRedisAddress(url) ? [] : ["url"]), ...(isClusterValid ? [] : ["cluster"])];
}

/**
 * Reads a node in the forms that ioredis accepts: a port, an address with or without `redis://user:password@`, or an
 * object. An address without a host is the path of a socket.
 * @returns `undefined` if the address can't be read
 */
export function readNode(node: unknown) {
  if (typeof node === "object" && node !== null) {
    const { host = "localhost", port, tls, password } = node as RedisOptions;
    return { host, port, hasTls: Boolean(tls), hasPassword: Boolean(password) };
  }
  const text = /^\d+$/.test(String(node)) ? `localhost:${node}` : String(node);
  const address = text.includes("//") ? text : `redis://${text}`;
  if (!URL.canParse(address)) return undefined;
  const { hostname, port, password, protocol } = new URL(address);
  const host = hostname || "localhost";
  return { host, port, hasTls: protocol === "rediss:", hasPassword: password !== "" };
}

// --- Internal helpers ---

/**
 * Whether an address with a password is a valid URL. ioredis uses any other text as the path of a socket, and logs it.
 * Node prints a URL with an invalid port. Both would print the password.
 */
function isRedisAddress(address: unknown): boolean {
  if (typeof address !== "string" || !address.includes("@")) return true;
  if (address.includes("://")) return URL.canParse(address);
  return !address.includes("/") && URL.canParse(`redis://${address}`);
}

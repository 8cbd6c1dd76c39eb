import type { Driver } from "unstorage";

/** The functions of an ioredis client (or cluster) that are used. */
export interface RedisClient extends RedisConnection {
  get(key: string): Promise<string | null>;
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  evalsha(sha1: string, keyCount: number, ...args: string[]): Promise<unknown>;
  info(section: "server"): Promise<string>;
  config(command: "GET", name: string): Promise<unknown>;
  /** Begins to connect, if the status is `wait`. */
  connect?(): Promise<unknown>;
  disconnect?(reconnect?: boolean): void;
  /** Another connection to the same server. */
  duplicate?(options: Readonly<Record<string, unknown>>): unknown;
  readonly isCluster?: boolean;
  /** The clients of a cluster's nodes. */
  nodes?(role: "all"): readonly RedisConnection[];
  on(event: "+node", listener: (node: RedisConnection) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: ConnectionEvent, listener: () => void): unknown;
}

/** The client of one server, or of one node of a cluster. */
export interface RedisConnection {
  ping(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: ConnectionEvent, listener: () => void): unknown;
  /** `ready` while it is connected. */
  readonly status?: string;
  /** The connection, once there is one; a cluster has several. */
  readonly stream?: RedisStream | undefined;
  readonly options?: RedisOptions;
  /** Clusters only. */
  readonly startupNodes?: readonly unknown[];
}

/** The relevant options of an ioredis client. */
export interface RedisOptions {
  readonly commandTimeout?: number | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The path of a Unix socket. */
  readonly path?: string | undefined;
  readonly sentinels?: readonly unknown[] | null | undefined;
  readonly name?: string | null | undefined;
  /** The prefix that the client adds to each key. */
  readonly keyPrefix?: string | Uint8Array | undefined;
  /** A cluster keeps the options of its nodes' clients one level below. */
  readonly redisOptions?: { readonly commandTimeout?: number | undefined } | undefined;
}

/** unstorage's redis driver. */
export interface RedisDriver extends Driver {
  readonly options?: { readonly base?: string | undefined };
  readonly getInstance: () => RedisClient;
}

/** Whether a driver is unstorage's redis driver. */
export function isRedisDriver(driver: Driver): driver is RedisDriver {
  return driver.name === "redis" && driver.getInstance !== undefined;
}

// --- Internal helpers ---

type ConnectionEvent = "connect" | "ready" | "close" | "end";

interface RedisStream {
  readonly writable?: boolean;
  cork(): void;
  uncork(): void;
  destroy(): void;
}

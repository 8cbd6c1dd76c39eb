import type { Driver } from "unstorage";
import type { Logger } from "./log.ts";

/** The functions of an ioredis client (or cluster) that are used. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  ping(): Promise<unknown>;
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  evalsha(sha1: string, keyCount: number, ...args: string[]): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "ready", listener: () => void): unknown;
  info(section: "server"): Promise<string>;
  config(command: "GET", name: string): Promise<unknown>;
  /** Another connection to the same server. */
  duplicate?(options: Readonly<Record<string, unknown>>): unknown;
  /** The connection, once there is one; a cluster has several. */
  readonly stream?: { cork(): void; uncork(): void } | undefined;
  readonly isCluster?: boolean;
  /** `ready` while it is connected. */
  readonly status?: string;
  /** A cluster keeps the options of its nodes' clients one level below. */
  readonly options?: CommandOptions & { readonly redisOptions?: CommandOptions | undefined };
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

/**
 * Says once that Redis went away, and once that it is back.
 * Without a listener ioredis prints every failed attempt, with the address, to the console.
 */
export function watchOutages(client: Pick<RedisClient, "on">, log: Logger): void {
  let isDown = false;
  client.on("error", (error) => {
    if (!isDown) log.error("The connection to Redis failed", { reason: toReason(error) });
    isDown = true;
  });
  client.on("ready", () => {
    if (isDown) log.info("The connection to Redis is back");
    isDown = false;
  });
}

// --- Internal helpers ---

interface CommandOptions {
  readonly commandTimeout?: number | undefined;
}

/** The code, or else the first word, of an error: the rest may name the host or the user. */
function toReason(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : (error.message.split(" ", 1)[0] ?? error.name);
}

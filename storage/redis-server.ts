import type { RedisClient } from "./redis-client.ts";

/** What a Redis says of itself; what it does not tell is `undefined`. */
export interface RedisServer {
  /** The first number of its version. */
  readonly majorVersion: number | undefined;
  /** What it removes when its memory is full. */
  readonly evictionPolicy: string | undefined;
}

/** Asks a Redis what it is; services and users without the right to ask get no answer. */
export async function readRedisServer(client: RedisClient): Promise<RedisServer> {
  const info = await client.info("server").catch(() => "");
  const reply = await client.config("GET", "maxmemory-policy").catch(() => []);
  const [, policy] = Array.isArray(reply) ? (reply as unknown[]) : [];
  const version = /^redis_version:(\d+)/m.exec(info)?.[1];
  return {
    majorVersion: version === undefined ? undefined : Number(version),
    evictionPolicy: typeof policy === "string" ? policy : undefined,
  };
}

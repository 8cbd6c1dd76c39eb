import type { Logger } from "../../shared/log.ts";

/** The outages of one Redis. */
export type RedisOutages = ReturnType<typeof createRedisOutages>;

/** Logs each outage of a Redis once, and its end once, per address. */
export function createRedisOutages(log: Logger) {
  const down = new Map<string, string>();
  return {
    /** @param reason the error code of Redis or the connection, without a secret */
    begin(address: string, reason: string): void {
      if (down.has(address)) return;
      down.set(address, reason);
      const message = `Redis at ${address} cannot be used; calls that need it get 503 until it is back`;
      log.error(message, { reason });
    },

    /** The reason of the current outage. */
    reason: (): string | undefined => [...down.values()].at(-1),

    end(address: string): void {
      if (down.delete(address)) log.info(`Redis at ${address} is back`);
    },
  };
}

/** The code in an error of ioredis, for example `ECONNREFUSED` or `NOAUTH`: the rest can contain a secret. */
export function toReason(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  return /\b[A-Z]{4,}\b/.exec(error.message)?.[0] ?? error.name;
}

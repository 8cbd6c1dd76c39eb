import type { Logger } from "../../shared/log.ts";

/** Logs each outage of a Redis once, and once more when it is over, per address. */
export class RedisOutages {
  readonly #log: Logger;
  readonly #down = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param reason the error code of Redis or the connection, without a secret */
  begin(address: string, reason: string): void {
    if (this.#down.has(address)) return;
    this.#down.set(address, reason);
    const message = `Redis at ${address} cannot be used; calls that need it get 503 until it is back`;
    this.#log.error(message, { reason });
  }

  /** The reason of the current outage. */
  get reason(): string | undefined {
    return [...this.#down.values()].at(-1);
  }

  end(address: string): void {
    if (this.#down.delete(address)) this.#log.info(`Redis at ${address} is back`);
  }
}

/** The code in an error of ioredis, for example `ECONNREFUSED` or `NOAUTH`: the rest can hold a secret. */
export function toReason(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  return /\b[A-Z]{4,}\b/.exec(error.message)?.[0] ?? error.name;
}

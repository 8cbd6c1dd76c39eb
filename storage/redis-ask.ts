import { setImmediate } from "node:timers";
import type { RedisClient } from "./redis-client.ts";

/** Sends a command and waits for what Redis answers. */
export type Ask = <T>(command: () => Promise<T>) => Promise<T>;

/**
 * Makes questions to Redis that are answered within the client's time, or fail: a client that reconnects may
 * keep its commands until then. What they throw carries no command.
 *
 * What is asked in one turn of the event loop is sent together. (ioredis' `enableAutoPipelining` does so too,
 * but sends nothing more until all of it is answered.)
 */
export function createAsk(client: RedisClient): Ask {
  const { commandTimeout = client.options?.redisOptions?.commandTimeout } = client.options ?? {};
  const patience = (commandTimeout ?? 1000) + 100;
  const holdBack = createHoldBack(client);
  return function ask(command) {
    holdBack();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`No answer within ${patience} ms`)),
        patience,
      );
      command().then(
        (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(toSafeError(error));
        },
      );
    });
  };
}

// --- Internal helpers ---

/** Has what is sent from now on leave together at the end of a turn: each write to a socket is a call of the kernel. */
function createHoldBack(client: RedisClient): () => void {
  let isHeldBack = false;
  return function holdBack() {
    const { stream } = client;
    if (isHeldBack || stream === undefined) return;
    isHeldBack = true;
    stream.cork();
    setImmediate(() => {
      isHeldBack = false;
      stream.uncork();
    });
  };
}

/** An error of ioredis carries the command, and so a document or the password, into every log. */
function toSafeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, name, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

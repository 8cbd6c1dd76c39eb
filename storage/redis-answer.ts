import type { RedisClient } from "./redis-client.ts";

/** Waits for what Redis answers to a command. */
export type Answer = <T>(command: Promise<T>) => Promise<T>;

/**
 * Makes answers that come within the client's time, or fail: a client that reconnects may keep its
 * commands until then. What they throw carries no command.
 */
export function createAnswer(client: RedisClient): Answer {
  const { commandTimeout = client.options?.redisOptions?.commandTimeout } = client.options ?? {};
  const patience = (commandTimeout ?? 1000) + 100;
  return function answer(command) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`No answer within ${patience} ms`)),
        patience,
      );
      command.then(
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

/** An error of ioredis carries the command, and so a document or the password, into every log. */
function toSafeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, name, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

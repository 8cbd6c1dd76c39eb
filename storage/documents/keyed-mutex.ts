import { StorageTimeoutError, StorageUnavailableError } from "./unavailable.ts";

/** Runs the tasks of one key one after the other, and those of different keys at the same time. */
export type KeyedMutex = <T>(key: string, task: () => Promise<T>) => Promise<T>;

/**
 * Creates a queue, which keeps only keys with a task. If a task times out, the tasks behind it fail at the same time,
 * instead of one timeout later each.
 */
export function createKeyedMutex(): KeyedMutex {
  /** Each resolves to the timeout error for the tasks behind it, if there was one. */
  const tails = new Map<string, Promise<StorageUnavailableError | undefined>>();
  return function enqueue(key, task) {
    const result = (tails.get(key) ?? free).then((timeout) => {
      if (timeout !== undefined) throw timeout;
      return task();
    });
    const tail = result.then(leave, (error: unknown) => {
      leave();
      return isTimeout(error) ? error : undefined;
    });
    tails.set(key, tail);
    return result;

    function leave(): undefined {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}

// --- Internal helpers ---

const free = Promise.resolve(undefined);

function isTimeout(error: unknown): error is StorageUnavailableError {
  return error instanceof StorageUnavailableError && error.cause instanceof StorageTimeoutError;
}

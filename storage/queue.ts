import { isTimeout } from "./unavailable.ts";

/** Runs the tasks of one key one after the other, and those of different keys at the same time. */
export type Queue = <T>(key: string, task: () => Promise<T>) => Promise<T>;

/**
 * Makes a queue; it remembers only the keys that have a task. When the storage does not answer a task in time,
 * those that wait behind it fail as well, instead of one timeout later each.
 */
export function createQueue(): Queue {
  /** Each resolves to the timeout that those behind it fail with, if there was one. */
  const tails = new Map<string, Promise<Timeout>>();
  return function enqueue(key, task) {
    const result = (tails.get(key) ?? free).then((timeout) => {
      if (timeout !== undefined) throw timeout.error;
      return task();
    });
    const tail: Promise<Timeout> = result.then(leave, (error: unknown) => {
      leave();
      return isTimeout(error) ? { error } : undefined;
    });
    tails.set(key, tail);
    return result;

    function leave(): undefined {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}

// --- Internal helpers ---

type Timeout = { readonly error: unknown } | undefined;

const free: Promise<Timeout> = Promise.resolve(undefined);

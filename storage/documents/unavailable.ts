import { systemClock } from "../clock.ts";
import type { StorageAdapter } from "./adapter.ts";
import { LoopTimer } from "./loop-timer.ts";

/** A storage failed. A change can have been stored or not. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

/** The storage did not respond in time. This is the cause of a {@link StorageUnavailableError}. */
export class StorageTimeoutError extends Error {
  override readonly name = "StorageTimeoutError";
}

/** Wraps the errors of an adapter in {@link StorageUnavailableError}. The message names only the storage. */
export function withUnavailable(adapter: StorageAdapter, driver: string): StorageAdapter {
  const failTo = (operation: string) => (cause: unknown) => {
    throw new StorageUnavailableError(`The storage "${driver}" failed to ${operation}`, { cause });
  };
  const failToRead = failTo("read");
  const failToWrite = failTo("write");
  const failToTake = failTo("take");
  return {
    ...bindOthers(adapter),
    read: (key) => adapter.read(key).catch(failToRead),
    swap: (key, expected, next) => adapter.swap(key, expected, next).catch(failToWrite),
    take: (key) => adapter.take(key).catch(failToTake),
    setAside: (key, text) => adapter.setAside(key, text).catch(failToWrite),
    ping: () => adapter.ping().catch(failTo("accept a test write")),
    ...(adapter.counters && { counters: withUnavailableCounters(adapter.counters.bind(adapter)) }),
  };

  function withUnavailableCounters(open: NonNullable<StorageAdapter["counters"]>): typeof open {
    return (name, window) => {
      const counters = open(name, window);
      return {
        read: (key) => counters.read(key).catch(failTo("read a count")),
        add: (key) => counters.add(key).catch(failTo("count")),
        takeBack: (key) => counters.takeBack(key).catch(failTo("count")),
        clear: (key) => counters.clear(key).catch(failTo("clear a count")),
      };
    };
  }
}

/** Binds the functions of an adapter that access no document. If it is an instance of a class, it inherits them. */
export function bindOthers(adapter: StorageAdapter) {
  return {
    capabilities: adapter.capabilities,
    close: () => adapter.close(),
    ...(adapter.ready && { ready: adapter.ready.bind(adapter) }),
    ...(adapter.inspect && { inspect: adapter.inspect.bind(adapter) }),
    ...(adapter.watch && { watch: adapter.watch.bind(adapter) }),
    ...(adapter.counters && { counters: adapter.counters.bind(adapter) }),
  };
}

/**
 * Waits for the results of a driver, each for three seconds at most. Operations on the key of a late change fail until
 * the driver has settled it. A driver that doesn't respond gets one operation a second, and others fail immediately.
 */
export function createDriverCalls(onFailure: () => void) {
  const timer = new LoopTimer(limit);
  /** The keys of changes that timed out and are not settled. */
  const unsettled = new Set<string>();
  /** The number of timeouts since the last result. */
  let timeouts = 0;
  /** The time of the last probe of a driver that doesn't respond, in epoch milliseconds. */
  let lastProbe = 0;
  return {
    /** @throws StorageTimeoutError if an operation on this key can't succeed now */
    admit(key: string): void {
      if (unsettled.size > 0 && unsettled.has(key)) {
        throw new StorageTimeoutError("An earlier change of this document is still pending");
      }
      if (timeouts < maxTimeouts) return;
      const now = systemClock.now();
      if (Math.abs(now - lastProbe) < probeInterval) {
        throw new StorageTimeoutError("The driver does not respond");
      }
      lastProbe = now;
    },

    /** Waits for a read. @throws StorageTimeoutError */
    read: <T>(answer: PromiseLike<T>): Promise<T> => wait(answer),

    /** Waits for a change of a document. @throws StorageTimeoutError */
    change: <T>(key: string, answer: PromiseLike<T>): Promise<T> =>
      wait(answer, () => {
        const forget = () => void unsettled.delete(key);
        unsettled.add(key);
        answer.then(forget, forget);
      }),
  };

  function wait<T>(answer: PromiseLike<T>, onTimeout?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timed = timer.start(() => {
        timeouts++;
        onFailure();
        onTimeout?.();
        reject(new StorageTimeoutError(`No response within ${limit} ms`));
      });
      const end = () => {
        timeouts = 0;
        timer.end(timed);
      };
      answer.then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => {
          end();
          onFailure();
          reject(error);
        },
      );
    });
  }
}

// --- Internal helpers ---

/** Milliseconds. */
const limit = 3000;

/** After this many timeouts in a row, the driver counts as not responding. */
const maxTimeouts = 10;

/** Milliseconds from one probe to the next. */
const probeInterval = 1000;

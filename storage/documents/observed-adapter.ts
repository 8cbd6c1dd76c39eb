import { systemClock } from "../clock.ts";
import type { StorageObserver, StorageOperation, StorageOutcome } from "../storage-observer.ts";
import type { StorageAdapter } from "./adapter.ts";
import type { Counters } from "./documents.ts";
import { bindOthers } from "./unavailable.ts";

/** Reports each operation of an adapter. @param driver the name of its driver */
export function withObserver(
  adapter: StorageAdapter,
  driver: string,
  observer: StorageObserver,
): StorageAdapter {
  const { counters } = adapter;
  return {
    ...bindOthers(adapter),
    read: (key) => observe("read", now(), adapter.read(key)),
    swap: (key, expected, next) =>
      observe("swap", now(), adapter.swap(key, expected, next), ({ swapped }) =>
        swapped ? "ok" : "conflict",
      ),
    take: (key) => observe("take", now(), adapter.take(key)),
    setAside: (key, text) => observe("set_aside", now(), adapter.setAside(key, text)),
    ping: () => observe("ping", now(), adapter.ping()),
    ...(counters && {
      counters: (name, window) => withCountsObserved(counters.call(adapter, name, window)),
    }),
  };

  async function observe<T>(
    operation: StorageOperation,
    startedAt: number,
    running: Promise<T>,
    toOutcome: (result: T) => StorageOutcome = isOk,
  ): Promise<T> {
    let outcome: StorageOutcome = "error";
    try {
      const result = await running;
      outcome = toOutcome(result);
      return result;
    } finally {
      observer.storage(driver, operation, outcome, (now() - startedAt) / 1000);
    }
  }

  function withCountsObserved(counted: Counters): Counters {
    return {
      read: (key) => observe("count", now(), counted.read(key)),
      add: (key) => observe("count", now(), counted.add(key)),
      takeBack: (key) => observe("count", now(), counted.takeBack(key)),
      clear: (key) => observe("count", now(), counted.clear(key)),
    };
  }
}

// --- Internal helpers ---

/** Not the clock of a test, because the other side of a socket doesn't follow it. */
function now(): number {
  return systemClock.monotonic();
}

function isOk(): StorageOutcome {
  return "ok";
}

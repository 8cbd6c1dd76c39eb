import type { Driver } from "unstorage";
import { createAdapter } from "./adapters.ts";
import { createChanges } from "./documents/changes.ts";
import { openCollection } from "./documents/collection.ts";
import type { StorageAdapter } from "./documents/adapter.ts";
import { createDriverAdapter } from "./documents/driver-adapter.ts";
import type {
  ChangeFeed,
  Collection,
  Counters,
  CounterState,
  DocumentStore,
  DocumentStoreOptions,
  Snapshot,
} from "./documents/documents.ts";
import { createKeyedMutex } from "./documents/keyed-mutex.ts";
import { withUnavailable } from "./documents/unavailable.ts";
import { isPrivateDriver, openDriver } from "./open-driver.ts";
import { createSafeLog, type Logger } from "../shared/log.ts";

/**
 * Opens a document store on a driver. Stores on one driver object share their locks. The last store that closes
 * disposes the driver.
 *
 * @throws TypeError if the driver can't write, or if its adapter contradicts itself
 */
export function openDocumentStore(driver: Driver, options: DocumentStoreOptions): DocumentStore {
  const log = createSafeLog(options.log);
  const shared = sharedByDriver.get(driver) ?? open(driver, log);
  sharedByDriver.set(driver, shared);
  shared.users++;
  return createStore(shared, log, () => release(driver, shared));
}

/** Whether a stored value is a count. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

// --- Internal helpers ---

/** The state that the stores on one driver share. */
type Shared = ReturnType<typeof open>;

const sharedByDriver = new WeakMap<Driver, Shared>();

function open(driver: Driver, log: Logger) {
  const name = driver.name ?? "custom";
  const mutex = createKeyedMutex();
  const adapter = withUnavailable(createAdapter(driver, mutex, log), name);
  const isPrivate = isPrivateDriver(driver);
  return { name, adapter, changes: createChanges(adapter, isPrivate), mutex, isPrivate, users: 0 };
}

function createStore(shared: Shared, log: Logger, end: () => Promise<void>): DocumentStore {
  const { name, adapter, changes, mutex, isPrivate } = shared;
  const storage = { adapter, changes, mutex, log };
  const feeds: ChangeFeed[] = [];
  let memory: StorageAdapter | undefined;
  let closing: Promise<void> | undefined;
  return {
    driver: name,
    capabilities: adapter.capabilities,
    isPrivate,
    collection: (collection, isDocument, unreadable = "drop") =>
      openCollection(storage, collection, isDocument, unreadable),
    counters(counted, window) {
      if (adapter.counters !== undefined) return adapter.counters(counted, window);
      // If only this process counts, its memory is enough.
      const isShared = adapter.capabilities.atomic === "cluster";
      const holder = isShared ? adapter : (memory ??= openMemory());
      const counts = openCollection({ ...storage, adapter: holder }, counted, isCount, "refuse");
      return createDocumentCounters(counts, window);
    },
    watch(prefix) {
      const feed = changes.openFeed(prefix);
      feeds.push(feed);
      return feed;
    },
    ready: async () => adapter.ready?.(),
    ping: () => adapter.ping(),
    inspect: async () => (await adapter.inspect?.()) ?? {},
    close() {
      for (const feed of feeds) feed.close();
      return (closing ??= Promise.all([memory?.close(), end()]).then(() => undefined));
    },
  };

  function openMemory(): StorageAdapter {
    return createDriverAdapter(openDriver({ driver: "memory" }), mutex, log);
  }
}

async function release(driver: Driver, shared: Shared): Promise<void> {
  shared.users--;
  if (shared.users > 0) return;
  sharedByDriver.delete(driver);
  await shared.adapter.close();
}

/** Counts with documents. @param window seconds */
function createDocumentCounters(counts: Collection<number>, window: number): Counters {
  return {
    // Waits for the additions that began before it, so that parallel guesses don't pass the limit.
    read: async (key) => toState(await counts.update(key, () => "keep")),
    add: async (key) =>
      toState(
        await counts.update(key, (count = 0, { expiresAt = Date.now() + window * 1000 }) => ({
          set: count + 1,
          expiresAt,
        })),
      ),
    async takeBack(key) {
      await counts.update(key, (count = 0, { expiresAt }) =>
        count === 0 ? "keep" : { set: count - 1, expiresAt },
      );
    },
    async clear(key) {
      await counts.update(key, (count) => (count === undefined ? "keep" : "remove"));
    },
  };
}

function toState({ value: count = 0, expiresAt = 0 }: Snapshot<number>): CounterState {
  const endsIn = Math.max(0, Math.ceil((expiresAt - Date.now()) / 1000));
  return count === 0 || endsIn === 0 ? { count: 0, endsIn: 0 } : { count, endsIn };
}

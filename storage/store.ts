import type { Driver } from "unstorage";
import { createAdapter } from "./adapters.ts";
import { createDocumentCounters, isCount } from "./documents/counters.ts";
import { createDriverAdapter } from "./documents/driver-adapter.ts";
import { withUnavailable, type StorageAdapter } from "./documents/adapter.ts";
import { ChangeEmitter, type ChangeFeed } from "./documents/changes.ts";
import { StoredCollection } from "./documents/collection.ts";
import type {
  Collection,
  DocumentStore,
  DocumentStoreOptions,
  UnreadablePolicy,
} from "./documents/documents.ts";
import { isPrivateDriver, openDriver } from "./open-driver.ts";
import { createSafeLog, type Logger } from "../shared/log.ts";
import { createKeyedMutex, type KeyedMutex } from "./documents/keyed-mutex.ts";

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

// --- Internal helpers ---

/** The state that the stores on one driver share. */
interface Shared {
  readonly name: string;
  readonly adapter: StorageAdapter;
  readonly mutex: KeyedMutex;
  readonly changes: ChangeEmitter;
  readonly isPrivate: boolean;
}

const sharedByDriver = new WeakMap<Driver, Shared & { users: number }>();

function createStore(shared: Shared, log: Logger, end: () => Promise<void>): DocumentStore {
  const { name, adapter, changes, mutex, isPrivate } = shared;
  const feeds: ChangeFeed[] = [];
  let memory: StorageAdapter | undefined;
  let closing: Promise<void> | undefined;
  return {
    driver: name,
    capabilities: adapter.capabilities,
    isPrivate,
    collection: (collection, isDocument, unreadable = "drop") =>
      openCollection(adapter, collection, isDocument, unreadable),
    counters(counted, window) {
      if (adapter.counters !== undefined) return adapter.counters(counted, window);
      // If only this process counts, its memory is enough.
      const isShared = adapter.capabilities.atomic === "cluster";
      const counts = isShared ? adapter : (memory ??= openMemory());
      return createDocumentCounters(openCollection(counts, counted, isCount, "refuse"), window);
    },
    watch(prefix) {
      const feed = openFeed(prefix, changes, adapter);
      feeds.push(feed);
      return feed;
    },
    ping: () => adapter.ping(),
    inspect: async () => (await adapter.inspect?.()) ?? {},
    close() {
      for (const feed of feeds) feed.close();
      return (closing ??= Promise.all([memory?.close(), end()]).then(() => undefined));
    },
  };

  function openCollection<T>(
    holder: StorageAdapter,
    collection: string,
    isDocument: (value: unknown) => value is T,
    unreadable: UnreadablePolicy,
  ): Collection<T> {
    const options = { name: collection, isDocument, unreadable, adapter: holder };
    return new StoredCollection({ ...options, changes, mutex, log });
  }

  function openMemory(): StorageAdapter {
    return createDriverAdapter(openDriver({ driver: "memory" }), mutex, log);
  }
}

function open(driver: Driver, log: Logger): Shared & { users: number } {
  const name = driver.name ?? "custom";
  const mutex = createKeyedMutex();
  const adapter = createAdapter(driver, mutex, log);
  const isPrivate = isPrivateDriver(driver);
  const changes = new ChangeEmitter({ hasOthers: !isPrivate });
  return { name, adapter: withUnavailable(adapter, name), changes, mutex, isPrivate, users: 0 };
}

/** Pushes our own changes immediately, and those of other processes when the adapter pushes them. */
function openFeed(prefix: string, changes: ChangeEmitter, adapter: StorageAdapter): ChangeFeed {
  const remote = adapter.watch?.(prefix, (path) => changes.emit(prefix, path));
  // If other processes write and the adapter pushes nothing, the feed is never up: silence doesn't mean "no change".
  const isAlone = adapter.capabilities.atomic === "process";
  const endings: (() => void)[] = [];
  return {
    isUp: () => isAlone || remote?.isUp() === true,
    listen: (listener) => void endings.push(changes.listen(prefix, listener)),
    close() {
      remote?.close();
      for (const end of endings) end();
    },
  };
}

async function release(driver: Driver, shared: Shared & { users: number }): Promise<void> {
  shared.users--;
  if (shared.users > 0) return;
  sharedByDriver.delete(driver);
  await shared.adapter.close();
}

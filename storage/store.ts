import type { Driver } from "unstorage";
import { systemClock, type Clock } from "./clock.ts";
import { systemRandom } from "./random.ts";
import { createAdapter } from "./adapters.ts";
import { createChanges } from "./documents/changes.ts";
import { openCollection } from "./documents/collection.ts";
import type { AdapterOptions, StorageAdapter } from "./documents/adapter.ts";
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
import { withObserver } from "./documents/observed-adapter.ts";
import { withUnavailable } from "./documents/unavailable.ts";
import { isPrivateDriver, openDriver } from "./open-driver.ts";
import { createSafeLog } from "../shared/log.ts";

/**
 * Opens a document store on a driver. Stores on one driver object share their locks. The last store that closes
 * disposes the driver.
 *
 * @throws TypeError if the driver can't write, or if its adapter contradicts itself
 */
export function openDocumentStore(
  driver: Driver,
  options: DocumentStoreOptions & { readonly intercept?: Intercept | undefined },
): DocumentStore {
  const { clock = systemClock, random = systemRandom, observer, intercept } = options;
  const log = createSafeLog(options.log);
  const shared = sharedByDriver.get(driver) ?? open(driver, { log, clock });
  sharedByDriver.set(driver, shared);
  shared.users++;
  const { name, changes, mutex, isPrivate } = shared;
  const intercepted = intercept ? intercept(shared.adapter) : shared.adapter;
  const adapter = observer ? withObserver(intercepted, name, observer) : intercepted;
  const storage = { adapter, changes, mutex, log, clock, random };
  const feeds = new Set<ChangeFeed>();
  let memory: StorageAdapter | undefined;
  let closing: Promise<void> | undefined;
  return {
    driver: name,
    capabilities: adapter.capabilities,
    clock,
    random,
    isPrivate,
    observer,
    collection: (collection, isDocument, unreadable = "drop") =>
      openCollection(storage, collection, isDocument, unreadable),
    counters(counted, window) {
      if (adapter.counters !== undefined) return adapter.counters(counted, window);
      // If only this process counts, its memory is enough.
      const isShared = adapter.capabilities.atomic === "cluster";
      const holder = isShared ? adapter : (memory ??= openMemory());
      const counts = openCollection({ ...storage, adapter: holder }, counted, isCount, "refuse");
      return createDocumentCounters(counts, window, clock);
    },
    watch(prefix) {
      const feed = changes.openFeed(prefix);
      feeds.add(feed);
      return {
        ...feed,
        close() {
          feeds.delete(feed);
          feed.close();
        },
      };
    },
    ready: async () => adapter.ready?.(),
    ping: () => adapter.ping(),
    inspect: async () => (await adapter.inspect?.()) ?? {},
    close() {
      for (const feed of feeds) feed.close();
      return (closing ??= end());
    },
  };

  function openMemory(): StorageAdapter {
    const opened = createDriverAdapter(openDriver({ driver: "memory" }), mutex, { log, clock });
    return intercept ? intercept(opened) : opened;
  }

  async function end(): Promise<void> {
    await Promise.all([memory?.close(), release(driver, shared)]);
  }
}

/** Wraps the adapter of a store, for the faults of a test. */
export type Intercept = (adapter: StorageAdapter) => StorageAdapter;

/** Whether a stored value is a count. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

// --- Internal helpers ---

const sharedByDriver = new WeakMap<Driver, ReturnType<typeof open>>();

/** Creates the parts that the stores on one driver share. */
function open(driver: Driver, options: AdapterOptions) {
  const name = driver.name ?? "custom";
  const mutex = createKeyedMutex();
  const adapter = withUnavailable(createAdapter(driver, mutex, options), name);
  const isPrivate = isPrivateDriver(driver);
  return { name, adapter, changes: createChanges(adapter, isPrivate), mutex, isPrivate, users: 0 };
}

async function release(driver: Driver, shared: ReturnType<typeof open>): Promise<void> {
  shared.users--;
  if (shared.users > 0) return;
  sharedByDriver.delete(driver);
  await shared.adapter.close();
}

/** Counts with documents. @param window seconds */
function createDocumentCounters(
  counts: Collection<number>,
  window: number,
  clock: Clock,
): Counters {
  return {
    // Waits for the additions that began before it, so that parallel guesses don't pass the limit.
    read: async (key) => toState(await counts.update(key, () => "keep")),
    async add(key) {
      const latestEnd = clock.now() + window * 1000;
      const added = await counts.update(key, (count = 0, { expiresAt = latestEnd }) => {
        return { set: count + 1, expiresAt };
      });
      return toState(added);
    },
    async takeBack(key) {
      await counts.update(key, (count = 0, { expiresAt }) =>
        count === 0 ? "keep" : { set: count - 1, expiresAt },
      );
    },
    async clear(key) {
      await counts.update(key, (count) => (count === undefined ? "keep" : "remove"));
    },
  };

  function toState({ value: count = 0, expiresAt = 0 }: Snapshot<number>): CounterState {
    const endsIn = Math.max(0, Math.ceil((expiresAt - clock.now()) / 1000));
    return count === 0 || endsIn === 0 ? { count: 0, endsIn: 0 } : { count, endsIn };
  }
}

import type { Driver } from "unstorage";
import { createMemoryAttempts } from "./documents/counters.ts";
import { withUnavailable, type Backend } from "./documents/adapter.ts";
import { LocalChanges, type ChangeFeed } from "./documents/changes.ts";
import { Collection } from "./documents/collection.ts";
import type { DocumentStore, DocumentStoreOptions } from "./documents/documents.ts";
import { createDriverBackend } from "./documents/driver-adapter.ts";
import { isPrivateDriver } from "./documents/driver.ts";
import { createSafeLog, type Logger } from "../shared/log.ts";
import { createQueue, type Queue } from "./documents/keyed-mutex.ts";
import { createRedisBackend } from "./redis/redis-adapter.ts";
import { isRedisDriver } from "./redis/redis-client.ts";

/**
 * Opens the documents in a driver. Stores on one driver object share their locks, and the last one to
 * be closed disposes the driver.
 *
 * @throws TypeError where the driver cannot write
 */
export function openDocumentStore(driver: Driver, options: DocumentStoreOptions): DocumentStore {
  const log = createSafeLog(options.log);
  const shared = sharedByDriver.get(driver) ?? open(driver, log);
  sharedByDriver.set(driver, shared);
  shared.users++;
  return createStore(shared, log, () => release(driver, shared));
}

/** Opens the documents in a backend that belongs to this store alone. */
export function openBackendStore(
  backend: Backend,
  { log, driver }: DocumentStoreOptions & { readonly driver: string },
): DocumentStore {
  const changes = new LocalChanges({ hasOthers: true });
  const shared = { name: driver, backend: withUnavailable(backend, driver), changes };
  return createStore({ ...shared, queue: createQueue(), isPrivate: false }, log, () =>
    backend.close(),
  );
}

// --- Internal helpers ---

/** The state that the stores on one driver share. */
interface Shared {
  readonly name: string;
  readonly backend: Backend;
  readonly queue: Queue;
  readonly changes: LocalChanges;
  readonly isPrivate: boolean;
}

const sharedByDriver = new WeakMap<Driver, Shared & { users: number }>();

function createStore(shared: Shared, log: Logger, end: () => Promise<void>): DocumentStore {
  const { name, backend, changes, queue, isPrivate } = shared;
  const feeds: ChangeFeed[] = [];
  let closing: Promise<void> | undefined;
  return {
    driver: name,
    capabilities: backend.capabilities,
    isPrivate,
    collection: (collection, isDocument, unreadable = "drop") =>
      new Collection({ name: collection, isDocument, unreadable, backend, changes, queue, log }),
    attempts: (counted, window) =>
      backend.attempts?.(counted, window) ?? createMemoryAttempts(window),
    watch(prefix) {
      const feed = openFeed(prefix, changes, backend);
      feeds.push(feed);
      return feed;
    },
    ping: () => backend.ping(),
    close() {
      for (const feed of feeds) feed.close();
      return (closing ??= end());
    },
  };
}

function open(driver: Driver, log: Logger): Shared & { users: number } {
  const name = driver.name ?? "custom";
  const queue = createQueue();
  const backend = isRedisDriver(driver)
    ? createRedisBackend(driver, log)
    : createDriverBackend(driver, queue, log);
  const isPrivate = isPrivateDriver(driver);
  const changes = new LocalChanges({ hasOthers: !isPrivate });
  return { name, backend: withUnavailable(backend, name), changes, queue, isPrivate, users: 0 };
}

/** Pushes our own changes immediately, and those of other processes when the backend pushes them. */
function openFeed(prefix: string, changes: LocalChanges, backend: Backend): ChangeFeed {
  const remote = backend.watch?.(prefix, (path) => changes.tell(prefix, path));
  // If other processes write and the backend pushes nothing, the feed is never up: silence doesn't mean "no change".
  const isAlone = backend.capabilities.atomic === "process";
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
  await shared.backend.close();
}

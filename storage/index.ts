/** Documents in any storage: the public entry `storefront-core/storage`. */

// Stores
export { openDriver } from "./open-driver.ts";
export type { StorageConfig } from "./documents/driver.ts";
export type { Clock, Timer } from "./clock.ts";
export type { Random } from "./random.ts";
export { openDocumentStore } from "./store.ts";

// Documents
export {
  absent,
  type Atomicity,
  type Capabilities,
  type Change,
  type ChangeFeed,
  type ChangeListener,
  type Collection,
  type Counters,
  type CounterState,
  type DocumentStore,
  type DocumentStoreOptions,
  type Updater,
  type Snapshot,
  type UnreadablePolicy,
} from "./documents/documents.ts";
export { toKeySegment } from "./documents/key.ts";

// Adapters for other storages
export {
  asideSeconds,
  defineStorageDriver,
  pingKey,
  type AdapterDriver,
  type AdapterOptions,
  type Expected,
  type RemoteFeed,
  type Replacement,
  type StorageAdapter,
  type Swap,
} from "./documents/adapter.ts";

// Caching sessions
export {
  DefaultSessionCacheStrategy,
  InMemorySessionCacheStrategy,
} from "./sessions/session-cache-strategy.ts";
export type { CachedSession, SessionCacheStrategy } from "./sessions/session-cache-strategy.ts";

// Errors and logs
export { StorageUnavailableError } from "./documents/unavailable.ts";
export { detailsFirst, type DetailsFirstLogger, type Logger } from "../shared/log.ts";

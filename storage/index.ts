/** Documents in any storage: the public entry `storefront-core/storage`. */

// Stores
export { openDriver } from "./open-driver.ts";
export type { StorageConfig } from "./documents/driver.ts";
export { openDocumentStore } from "./store.ts";

// Documents
export type {
  Atomicity,
  Capabilities,
  Change,
  Collection,
  DocumentStore,
  DocumentStoreOptions,
  Updater,
  Snapshot,
  UnreadablePolicy,
} from "./documents/documents.ts";
export type { Counters, CounterState } from "./documents/counters.ts";
export { absent } from "./documents/documents.ts";
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
export type { ChangeFeed, ChangeListener } from "./documents/changes.ts";

// Errors and logs
export { StorageUnavailableError } from "./documents/unavailable.ts";
export { detailsFirst, type DetailsFirstLogger, type Logger } from "../shared/log.ts";

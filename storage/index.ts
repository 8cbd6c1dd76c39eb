/** Documents in any unstorage driver: the public entry `storefront-core/storage`. */

// Opening
export { openDriver, type StorageConfig } from "./driver.ts";
export { openDocumentStore } from "./store.ts";

// Documents
export type {
  Atomicity,
  Capabilities,
  Change,
  Documents,
  DocumentStore,
  DocumentStoreOptions,
  Rule,
  Snapshot,
  UnreadablePolicy,
} from "./documents.ts";
export type { Attempts, Tally } from "./attempts.ts";
export { absent } from "./documents.ts";
export { toKeySegment } from "./key.ts";

// Caching sessions
export {
  DefaultSessionCacheStrategy,
  InMemorySessionCacheStrategy,
} from "./session-cache-strategy.ts";
export type {
  CachedSession,
  CachedSessionUser,
  SessionCacheStrategy,
} from "./session-cache-strategy.ts";
export type { ChangeFeed, ChangeListener } from "./changes.ts";

// Failing, and saying so
export { StorageUnavailableError } from "./unavailable.ts";
export type { Logger } from "./log.ts";
export { detailsFirst, type DetailsFirstLogger } from "./details-first.ts";

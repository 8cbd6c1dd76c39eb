import type { Counters } from "./counters.ts";
import type { ChangeListener } from "./changes.ts";
import type { Capabilities } from "./documents.ts";
import { StorageUnavailableError } from "./unavailable.ts";

/** What must lie under a key for a swap to happen; `text` is empty for `absent`. */
export interface Expected {
  readonly match: "absent" | "prefix" | "exact";
  readonly text: string;
}

/** A text to store, and when it ends (epoch milliseconds; absent: never). */
export interface Replacement {
  readonly text: string;
  readonly expiresAt?: number | undefined;
}

/** Whether a swap happened; where not, what lies under the key. */
export type Swap =
  | { readonly swapped: true }
  | { readonly swapped: false; readonly current: string | undefined };

/**
 * Texts under keys: the little that a document store needs of the storage below it.
 * In one process, one `swap` or `take` at a time runs for a key; the store's queue sees to that.
 */
export interface StorageAdapter {
  readonly capabilities: Capabilities;
  read(key: string): Promise<string | undefined>;
  /** Stores `next`, or removes the key where there is none, if what lies there is as expected. */
  swap(key: string, expected: Expected, next: Replacement | undefined): Promise<Swap>;
  take(key: string): Promise<string | undefined>;
  /**
   * Moves the value of a key to `<key>:unreadable`, if it is still `text`. It replaces an earlier one, and expires
   * after `asideSeconds`.
   */
  setAside(key: string, text: string): Promise<Swap>;
  /** Tries a read, and a write of `pingKey`, as calls do. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Counts attempts for all processes, by `<name>:<key>`; absent where there are no others. */
  counters?(name: string, window: number): Counters;
  /** Pushes the changes that other processes make below a prefix; present if the capabilities say `pushed`. */
  watch?(prefix: string, tell: ChangeListener): RemoteFeed;
}

/** Seconds until a document expires after `setAside`. */
export const asideSeconds = 30 * 86_400;

/** The document that `ping` writes, and the seconds until it expires. */
export const pingKey = "ping";
export const pingSeconds = 60;

/** Changes from elsewhere. */
export interface RemoteFeed {
  /** Whether none goes by unheard. */
  isUp(): boolean;
  close(): void;
}

/** Makes every failure of an adapter a {@link StorageUnavailableError} that says no more than its place. */
export function withUnavailable(adapter: StorageAdapter, driver: string): StorageAdapter {
  const failTo = (operation: string) => (cause: unknown) => {
    throw new StorageUnavailableError(`The storage "${driver}" failed to ${operation}`, { cause });
  };
  const failToRead = failTo("read");
  const failToWrite = failTo("write");
  const failToTake = failTo("take");
  return {
    capabilities: adapter.capabilities,
    read: (key) => adapter.read(key).catch(failToRead),
    swap: (key, expected, next) => adapter.swap(key, expected, next).catch(failToWrite),
    take: (key) => adapter.take(key).catch(failToTake),
    setAside: (key, text) => adapter.setAside(key, text).catch(failToWrite),
    ping: () => adapter.ping().catch(failTo("take what calls write")),
    close: () => adapter.close(),
    ...(adapter.watch && { watch: adapter.watch.bind(adapter) }),
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

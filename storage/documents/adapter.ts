import type { Driver } from "unstorage";
import type { Logger } from "../../shared/log.ts";
import type { Clock } from "../clock.ts";
import type { Capabilities, ChangeListener, Counters, StorageFaults } from "./documents.ts";

/** The condition of a swap on the current text of a key. `text` is empty if `match` is `absent`. */
export interface Expected {
  readonly match: "absent" | "prefix" | "exact";
  readonly text: string;
}

/** The text to store, and when it expires (epoch milliseconds; absent: never). */
export interface Replacement {
  readonly text: string;
  readonly expiresAt?: number | undefined;
}

/** Whether a swap happened. If not, `current` is the text that is stored. */
export type Swap =
  | { readonly swapped: true }
  | { readonly swapped: false; readonly current: string | undefined };

/**
 * Connects documents to a storage: texts under keys, with compare-and-swap. Methods reject if the storage fails, and
 * may return expired texts. Within one process, `swap`, `take`, and `setAside` of a key run one at a time.
 * @see `storefront-core/storage/testing`, the tests for adapters
 */
export interface StorageAdapter {
  readonly capabilities: Capabilities;
  read(key: string): Promise<string | undefined>;
  /**
   * Stores `next` if the current text is as expected; without `next`, removes the text. If the adapter is atomic in
   * the `cluster`, no other process can write between the comparison and the change.
   */
  swap(key: string, expected: Expected, next: Replacement | undefined): Promise<Swap>;
  /** Removes a text and returns it: if several take it, one gets it. */
  take(key: string): Promise<string | undefined>;
  /**
   * Moves a text to `<key>:unreadable` if it is still `text`. Replaces a text that is there, and expires after
   * {@link asideSeconds}.
   */
  setAside(key: string, text: string): Promise<Swap>;
  /** Tries a read, and a write of {@link pingKey}, as calls do. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Opens the storage, if that takes a while. Without it, the first operation does. */
  ready?(): Promise<void>;
  /** Looks for settings of the server that endanger documents, for `storefront doctor`. */
  inspect?(): Promise<StorageFaults>;
  /** Counters with one command each. If absent, the store counts with documents. */
  counters?(name: string, window: number): Counters;
  /** Pushes the changes that other processes make below a prefix; present if the capabilities say `pushed`. */
  watch?(prefix: string, emit: ChangeListener): RemoteFeed;
}

/** The changes that other processes make. */
export interface RemoteFeed {
  /** Whether the storage pushes every change. */
  isUp(): boolean;
  close(): void;
}

/** An unstorage driver that brings its own adapter. The server calls none of unstorage's functions on it. */
export interface AdapterDriver extends Driver {
  /** The adapter's capabilities, known before the storage is opened. */
  readonly atomic: Capabilities["atomic"];
  createAdapter(options: AdapterOptions): StorageAdapter;
}

/** The arguments of {@link AdapterDriver.createAdapter}. */
export interface AdapterOptions {
  readonly log: Logger;
  /** The clock that `expiresAt` of a {@link Replacement} refers to. */
  readonly clock: Clock;
}

/** Makes a driver for the config of a storage that has an adapter and no unstorage driver. */
export function defineStorageDriver(
  driver: Pick<AdapterDriver, "atomic" | "createAdapter"> & { readonly name: string },
): AdapterDriver {
  const reject = () =>
    Promise.reject(new Error(`The storage "${driver.name}" works with storefront-core only`));
  return { hasItem: reject, getItem: reject, getKeys: reject, ...driver };
}

/** Whether a driver brings its own adapter. */
export function isAdapterDriver(driver: Driver): driver is AdapterDriver {
  return typeof (driver as Partial<AdapterDriver>).createAdapter === "function";
}

/** Seconds until a document expires after `setAside`. */
export const asideSeconds = 30 * 86_400;

/** The document that `ping` writes, and the seconds until it expires. */
export const pingKey = "ping";
export const pingSeconds = 60;

import type { Logger } from "../../shared/log.ts";
import type { StorageObserver } from "../storage-observer.ts";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";

/** The guarantees of a store. The server prints them at startup. */
export type Capabilities = Atomicity & {
  /** Whether the storage itself removes expired documents, or a sweep of this process. */
  readonly ttl: "native" | "stored";
};

/** The processes for which changes are atomic, and whether the storage pushes changes to this process. */
export type Atomicity =
  /** Only this process can write. */
  | { readonly atomic: "process" }
  /** All processes on the storage can write, and the storage pushes each change. */
  | { readonly atomic: "cluster"; readonly changes: "pushed" }
  /** All processes on the storage can write, and this process doesn't learn of their changes, so it can't cache. */
  | { readonly atomic: "cluster"; readonly changes: "unheard" };

/** A document as it was read. Pass it to `update` to save the second read. */
export interface Snapshot<T> {
  /** The document; `undefined` if there is none, or if it has expired. */
  readonly value: T | undefined;
  /** When it expires, in epoch milliseconds; absent: never. */
  readonly expiresAt?: number | undefined;
  /** The next change is compared with it; opaque. */
  readonly version: string;
  /** Whether the document was unreadable, and was just moved aside. */
  readonly wasUnreadable?: boolean | undefined;
}

/** The result of an updater: writes a value, removes the document, or keeps it. */
export type Change<T> =
  | {
      readonly set: T;
      /** Epoch milliseconds; absent: never. */
      readonly expiresAt?: number | undefined;
    }
  | "remove"
  | "keep";

/** A pure function of the current document. It can run more than once. It rejects the update by throwing. */
export type Updater<T> = (current: T | undefined, snapshot: Snapshot<T>) => Change<T>;

/** JSON values under keys, changed atomically. A key is made of results of `toKeySegment`, joined by colons. */
export interface Collection<T> {
  /** Reads one document. @throws StorageUnavailableError */
  get(key: string): Promise<Snapshot<T>>;
  /**
   * Updates a document atomically. If another writer is faster, the store calls `updater` again with the new value.
   * Don't mutate a value after you set it: the store keeps it.
   * @param from an earlier snapshot; saves the first read. It isn't checked if `updater` keeps it or throws.
   * @returns the snapshot after the update, as `get` would return it
   * @throws StorageUnavailableError; TypeError if `updater` returns an invalid document, or one
   * with a part that JSON would change or drop; any error of `updater`
   */
  update(key: string, updater: Updater<T>, from?: Snapshot<T>): Promise<Snapshot<T>>;
  /** Reads and removes a document atomically: one of several callers gets it. @throws StorageUnavailableError */
  take(key: string): Promise<T | undefined>;
}

/**
 * How a collection handles an unreadable document: corrupted, truncated, or written by another program.
 * - `drop`: logs a warning, and treats the document as absent. The next write replaces it.
 * - `setAside`: logs a warning, and moves the document to `<key>:unreadable` for 30 days.
 * - `refuse`: each operation throws {@link StorageUnavailableError}, and changes nothing.
 */
export type UnreadablePolicy = "drop" | "setAside" | "refuse";

/** The count of a key. */
export interface CounterState {
  readonly count: number;
  /** Whole seconds until the count is 0 again; 0 if it is 0. */
  readonly endsIn: number;
}

/**
 * Counts by key. A count ends a fixed time after its first addition. Keys are those of documents.
 * All methods throw StorageUnavailableError.
 */
export interface Counters {
  read(key: string): Promise<CounterState>;
  /** Adds one. @returns the state after that: parallel additions get different counts */
  add(key: string): Promise<CounterState>;
  /** Subtracts one, unless the count is 0. */
  takeBack(key: string): Promise<void>;
  /** Sets a count to 0. */
  clear(key: string): Promise<void>;
}

/** Called with the changed key and, if known, its new snapshot. Without a key, any document may have changed. */
export type ChangeListener = (path?: string, current?: Snapshot<unknown>) => void;

/** The changes of documents below a prefix, by this process and by others. */
export interface ChangeFeed {
  /**
   * Whether every change arrives. While it is not up, earlier reads can be out of date. When it is up again, listeners
   * are called without a path.
   */
  isUp(): boolean;
  listen(listener: ChangeListener): void;
  close(): void;
}

/** Settings of a storage's server that endanger documents; all absent if it is fit. */
export interface StorageFaults {
  /** The policy by which the server removes documents when its memory is full. */
  readonly evictionPolicy?: string | undefined;
  /** The name and version of a server that is too old to push changes. */
  readonly outdated?: string | undefined;
  /** The used share of the server's memory, from 0 to 1, if the server has a limit. */
  readonly memoryUse?: number | undefined;
}

/** A storage that holds documents of several kinds. */
export interface DocumentStore {
  /** The driver's name, as unstorage knows it. */
  readonly driver: string;
  readonly capabilities: Capabilities;
  /** The clock by which its documents expire. */
  readonly clock: Clock;
  /** Creates the IDs in its documents. */
  readonly random: Random;
  /** Whether only stores of this process can change it, because this process created its driver. */
  readonly isPrivate: boolean;
  /** Receives what happens to the documents; absent if nothing observes them. */
  readonly observer?: StorageObserver | undefined;
  /**
   * Opens the documents below `name:`. `isDocument` checks that a stored value is a `T`.
   * @param unreadable how to handle other values. Default: `drop`.
   */
  collection<T>(
    name: string,
    isDocument: (value: unknown) => value is T,
    unreadable?: UnreadablePolicy,
  ): Collection<T>;
  /**
   * Opens counters: for all processes if the storage is atomic across processes, otherwise in this process's memory.
   * @param name precedes the keys, as in a collection
   * @param window seconds from a key's first addition until its count ends
   */
  counters(name: string, window: number): Counters;
  /** Watches the documents whose `<collection>:<key>` begins with a prefix. */
  watch(prefix: string): ChangeFeed;
  /** Loads a driver by name; otherwise its first operation does. @throws any error of the driver about its options */
  ready(): Promise<void>;
  /** Tries a read and a write, as calls do. @throws StorageUnavailableError */
  ping(): Promise<void>;
  /** Looks for settings of the storage's server that endanger documents. */
  inspect(): Promise<StorageFaults>;
  /**
   * Stops the timers and connections of the store. The last store on a driver object disposes the driver, also one that
   * the caller passed.
   */
  close(): Promise<void>;
}

/** Options of {@link openDocumentStore}. */
export interface DocumentStoreOptions {
  readonly log: Logger;
  /**
   * The time and the timers, for tests. Stores on one driver object share the timers of the first one.
   * @default the computer's clock
   */
  readonly clock?: Clock | undefined;
  /** Creates the IDs in its documents. @default the computer's random values */
  readonly random?: Random | undefined;
  /** Receives each operation of the storage. */
  readonly observer?: StorageObserver | undefined;
}

/** The snapshot of a new key. Pass it to `update` to save the read before the first write. */
export const absent: Snapshot<never> = { value: undefined, version: "" };

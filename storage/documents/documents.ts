import type { Counters } from "./counters.ts";
import type { ChangeFeed } from "./changes.ts";
import type { Logger } from "../../shared/log.ts";

/** What a store guarantees; printed at start, and all that callers may know of the driver below. */
export type Capabilities = Atomicity & {
  /** Who removes expired documents: the storage itself, or a sweep of this process. */
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

/** A document as it was read; hand it back to `update` to save the second read. */
export interface Snapshot<T> {
  /** The document, or `undefined` where there is none (or it expired). */
  readonly value: T | undefined;
  /** When it ends, in epoch milliseconds; absent: never. */
  readonly expiresAt?: number | undefined;
  /** What the next change is compared against; opaque. */
  readonly version: string;
  /** Whether the document was unreadable, and was just moved aside. */
  readonly wasUnreadable?: boolean | undefined;
}

/** What a updater decided: write this value, remove the document, or leave it as it is. */
export type Change<T> =
  | {
      readonly set: T;
      /** Epoch milliseconds; absent: never. */
      readonly expiresAt?: number | undefined;
    }
  | "remove"
  | "keep";

/** A pure function of the current document. It may run more than once; it refuses by throwing. */
export type Updater<T> = (current: T | undefined, snapshot: Snapshot<T>) => Change<T>;

/** JSON values, each under its key and changed atomically. Keys are made of `toKeySegment`, joined by colons. */
export interface Collection<T> {
  /** Reads one document. @throws StorageUnavailableError */
  get(key: string): Promise<Snapshot<T>>;
  /**
   * Applies `updater` to the current document, atomically; `from` saves the read where it is still current.
   * Where the updater keeps or refuses what it sees in `from`, the storage is not asked again.
   * What a updater sets is the store's from then on, and is not to be changed any more.
   * @returns the document as it stands afterwards, as `get` would read it
   * @throws StorageUnavailableError, TypeError for what is no document, and whatever `updater` throws
   */
  update(key: string, updater: Updater<T>, from?: Snapshot<T>): Promise<Snapshot<T>>;
  /** Reads and removes one document at once: of two callers, one gets it. @throws StorageUnavailableError */
  take(key: string): Promise<T | undefined>;
}

/**
 * How a collection handles an unreadable document: corrupted, truncated, or written by another program.
 *
 * - `drop`: the document counts as absent, and a warning is logged. The next write replaces it.
 * - `setAside`: the document is moved to `<key>:unreadable`, replaces an earlier one, and stays for 30 days.
 *   A warning is logged, and the document counts as absent.
 * - `refuse`: each operation throws {@link StorageUnavailableError}, and nothing is changed.
 */
export type UnreadablePolicy = "drop" | "setAside" | "refuse";

/** Settings of a storage's server that endanger documents; all absent if it is fit. */
export interface StorageFaults {
  /** The policy by which the server removes documents when its memory is full. */
  readonly evictionPolicy?: string | undefined;
  /** The name and version of a server that is too old to push changes. */
  readonly outdated?: string | undefined;
}

/** A storage that holds documents of several kinds. */
export interface DocumentStore {
  /** The driver's name, as unstorage knows it. */
  readonly driver: string;
  readonly capabilities: Capabilities;
  /** Whether nobody changes it but stores of this process, on the driver that this process made. */
  readonly isPrivate: boolean;
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
   * Counts attempts, for every process on the storage where that is Redis, else in this process's memory.
   * @param name stands before the keys, as a collection's does
   * @param window seconds from a key's first attempt until its count ends
   */
  counters(name: string, window: number): Counters;
  /** Tells of changes to the documents whose `<collection>:<key>` begins with a prefix. */
  watch(prefix: string): ChangeFeed;
  /** Tries a read and a write, as calls do. @throws StorageUnavailableError */
  ping(): Promise<void>;
  /** Looks for settings of the storage's server that endanger documents. */
  inspect(): Promise<StorageFaults>;
  /**
   * Ends timers and connections of the store. A driver object the caller brought is disposed too, with
   * the last of the stores that were opened on it.
   */
  close(): Promise<void>;
}

/** Options of {@link openDocumentStore}. */
export interface DocumentStoreOptions {
  readonly log: Logger;
}

/** The snapshot of a key that is known to be new: saves the read before the first write. */
export const absent: Snapshot<never> = { value: undefined, version: "" };

import type { Snapshot } from "../documents/documents.ts";
import {
  addInvalidation,
  startInvalidations,
  type CacheMark,
  type Invalidations,
} from "./invalidations.ts";

/** A cached value, as the storage holds it. */
export interface StoredValue {
  /** The shop, its locale and currency, and the key. Two keys can have the same document. */
  readonly id: string;
  /** When its load began, in epoch milliseconds. */
  readonly loadedAt: number;
  readonly mark: CacheMark;
  readonly tags: readonly string[];
  /** Any JSON. */
  readonly value: unknown;
}

/** The part of a shop's cache that its processes share. Only `invalidate` fails if the storage fails. */
export interface CacheStorage {
  /** The shop's invalidations, usually without a command; `undefined` if the storage fails. */
  current(): Invalidations | undefined | Promise<Invalidations | undefined>;
  /** Makes values with one of these tags invalid on all servers. @throws StorageUnavailableError */
  invalidate(tags: readonly string[]): Promise<void>;
  /** The document that a key has, perhaps with the value of another key; `undefined` if the storage fails. */
  read(id: string): Promise<Snapshot<StoredValue> | undefined>;
  /**
   * Stores a value in the background, unless it is too large.
   * @param bytes the length of its JSON
   * @param expiresAt epoch milliseconds
   * @param from the document that `read` returned
   */
  write(
    value: StoredValue,
    bytes: number,
    expiresAt: number,
    from: Snapshot<StoredValue> | undefined,
  ): void;
}

/** For a storage that only this process uses: it stores nothing, because this process has the values in memory. */
export function createLocalCacheStorage(): CacheStorage {
  let invalidations = startInvalidations("local");
  return {
    current: () => invalidations,
    async invalidate(tags) {
      invalidations = addInvalidation(invalidations, tags);
    },
    read: async () => undefined,
    write() {},
  };
}

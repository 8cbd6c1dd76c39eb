import { LRUCache } from "lru-cache";
import type { CacheMark } from "../../storage/cache/invalidations.ts";

/** A value in the memory of this process. */
export interface CacheEntry {
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  /** When its load began, in epoch milliseconds. */
  readonly loadedAt: number;
  /** `undefined` if it was loaded while the storage failed. It moves up when the entry is found current. */
  mark: CacheMark | undefined;
  /** When to load it again after a refresh failed, in epoch milliseconds. */
  refreshAt: number;
}

/** The values of all shops in the memory of this process, least recently used out. */
export class CacheMemory {
  /** Created at the first use, because it allocates its memory then. */
  #entries: LRUCache<string, CacheEntry> | undefined;

  get(id: string): CacheEntry | undefined {
    return this.#entries?.get(id);
  }

  /** @param size bytes of the value */
  set(id: string, entry: CacheEntry, size: number): void {
    this.#entries ??= new LRUCache({ max: maxEntries, maxSize });
    let ownSize = size + entrySize + 2 * id.length;
    for (const tag of entry.tags) ownSize += tagSize + 2 * tag.length;
    this.#entries.set(id, entry, { size: ownSize });
  }

  /** Removes the values of a shop that have one of these tags. @param prefix of the shop's IDs */
  deleteTagged(prefix: string, tags: readonly string[]): void {
    for (const [id, entry] of this.#entries?.entries() ?? []) {
      const isTagged = id.startsWith(prefix) && tags.some((tag) => entry.tags.has(tag));
      if (isTagged) this.#entries?.delete(id);
    }
  }

  clear(): void {
    this.#entries?.clear();
  }
}

// --- Internal helpers ---

const maxEntries = 1000;
/** Bytes: 32 MiB. */
const maxSize = 33_554_432;
const entrySize = 300;
const tagSize = 48;

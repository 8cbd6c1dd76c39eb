import { createHash } from "node:crypto";
import { RememberedDocument } from "../documents/changes.ts";
import type { ChangeFeed, DocumentStore } from "../documents/documents.ts";
import type { CacheStorage, StoredValue } from "./cache-storage.ts";
import {
  addInvalidation,
  isCacheMark,
  isInvalidations,
  startInvalidations,
  type Invalidations,
} from "./invalidations.ts";
import { createOutage } from "./outage.ts";

/**
 * Opens the caches of all shops on a storage that several processes share. The hash of a key chooses one of {@link
 * slots} documents. A new value replaces the value of another key there, so clients can't fill the storage.
 */
export function openSharedCache(store: DocumentStore): (shopId: number) => CacheStorage {
  const values = store.collection(collection, isStoredValue);
  const invalidations = store.collection(tagsCollection, isInvalidations);
  const outage = createOutage();
  const { random } = store;
  let feed: ChangeFeed | undefined;

  return (shopId) => {
    const key = String(shopId);
    let remembered: RememberedDocument<Invalidations> | undefined;
    return {
      current() {
        if (outage.isOn()) {
          outage.probe(readInvalidations);
          return undefined;
        }
        remembered ??= open();
        const known = remembered.current();
        return known instanceof Promise ? outage.watch(known) : known;
      },
      async invalidate(tags) {
        await invalidations.update(key, (current = startInvalidations(random.uuid())) => ({
          set: addInvalidation(current, tags),
        }));
        // Otherwise, this process would not compare its values with the change.
        outage.end();
      },
      async read(id) {
        if (outage.isOn()) {
          outage.probe(readInvalidations);
          return undefined;
        }
        return outage.watch(values.get(toSlot(id)));
      },
      write(value, bytes, expiresAt, from) {
        if (bytes > maxBytes || outage.isOn()) return;
        values
          .update(
            toSlot(value.id),
            (current) => (isLater(current, value) ? "keep" : { set: value, expiresAt }),
            from,
          )
          // Another process then loads the value itself.
          .catch(() => undefined);
      },
    };

    function open(): RememberedDocument<Invalidations> {
      feed ??= store.watch(tagsCollection);
      return new RememberedDocument(feed, `${tagsCollection}:${key}`, readInvalidations);
    }

    /** Begins a series if there is none, because values must be marked with one. */
    async function readInvalidations(): Promise<Invalidations> {
      const found = await invalidations.get(key);
      if (found.value !== undefined) return found.value;
      const begun = startInvalidations(random.uuid());
      const { value = begun } = await invalidations.update(
        key,
        (current) => (current === undefined ? { set: begun } : "keep"),
        found,
      );
      return value;
    }
  };
}

// --- Internal helpers ---

const collection = "public-cache";
const tagsCollection = "public-cache-tags";

/** The most documents of values in a storage. */
const slots = 2048;

/** The most bytes of a stored value. Larger values stay in the memory of each process. */
const maxBytes = 131_072;

function toSlot(id: string): string {
  return String(createHash("sha256").update(id).digest().readUInt32BE(0) % slots);
}

function isLater(current: StoredValue | undefined, { id, loadedAt }: StoredValue): boolean {
  return current?.id === id && current.loadedAt > loadedAt;
}

function isStoredValue(value: unknown): value is StoredValue {
  const { id, loadedAt, mark, tags } = (value ?? {}) as Partial<StoredValue>;
  return (
    typeof id === "string" &&
    Number.isFinite(loadedAt) &&
    isCacheMark(mark) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === "string")
  );
}

import type { StorageAdapter } from "./adapter.ts";
import type { ChangeFeed, ChangeListener, Snapshot } from "./documents.ts";

/**
 * Pushes the changes in a storage to its feeds: those of this process immediately, others when the adapter pushes
 * them.
 *
 * @param isPrivate whether only this process can change the storage
 */
export function createChanges(adapter: StorageAdapter, isPrivate: boolean) {
  /** For each open feed, the function that calls its listeners, and its prefix. */
  const feeds = new Map<ChangeListener, string>();
  // If other processes write and the adapter pushes nothing, no feed is up: silence doesn't mean "no change".
  const isAlone = adapter.capabilities.atomic === "process";
  return {
    /**
     * Calls the listeners of a document that this process has changed.
     * @param written its new snapshot
     */
    emitOwn(path: string, written?: Snapshot<unknown>): void {
      // A later change by another process may have arrived before the reply to ours.
      const current = isPrivate ? written : undefined;
      for (const [emit, prefix] of feeds) {
        if (path.startsWith(prefix)) emit(path, current);
      }
    },

    /** Opens a feed of the documents whose path begins with a prefix. */
    openFeed(prefix: string): ChangeFeed {
      const listeners = new Set<ChangeListener>();
      const emit: ChangeListener = (path, current) => {
        for (const listener of listeners) listener(path, current);
      };
      feeds.set(emit, prefix);
      const remote = adapter.watch?.(prefix, (path) => emit(path));
      return {
        isUp: () => isAlone || remote?.isUp() === true,
        listen: (listener) => void listeners.add(listener),
        close() {
          remote?.close();
          feeds.delete(emit);
        },
      };
    },
  };
}

/**
 * Caches one document in this process while the change feed is up.
 *
 * Returns a cached value directly and not as a promise, so callers don't wait.
 */
export class RememberedDocument<T> {
  readonly #feed: ChangeFeed;
  readonly #read: () => Promise<T>;
  /** The latest value, or the read in progress; a change removes it. */
  #known: { value: T | Promise<T> } | undefined;

  /** @param path the document's `<collection>:<key>`; the feed must cover it */
  constructor(feed: ChangeFeed, path: string, read: () => Promise<T>) {
    this.#feed = feed;
    this.#read = read;
    feed.listen((changed) => {
      if (changed === undefined || changed === path) this.forget();
    });
  }

  /** Whether the feed is up, so that `current` usually costs nothing. */
  get isRemembered(): boolean {
    return this.#feed.isUp();
  }

  /** The current value. @throws any error of the read */
  current(): T | Promise<T> {
    if (!this.#feed.isUp()) return this.#read();
    this.#known ??= this.#remember();
    return this.#known.value;
  }

  /** Drops the cached value, so the next call reads it again. */
  forget(): void {
    this.#known = undefined;
  }

  #remember(): { value: T | Promise<T> } {
    const known: { value: T | Promise<T> } = {
      value: this.#read().then(
        (value) => (known.value = value),
        (error: unknown) => {
          if (this.#known === known) this.#known = undefined;
          throw error;
        },
      ),
    };
    return known;
  }
}

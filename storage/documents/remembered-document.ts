import type { ChangeFeed } from "./changes.ts";

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

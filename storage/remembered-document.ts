import type { ChangeFeed } from "./changes.ts";

/**
 * What is read from one document, kept in this process while the change feed is up.
 *
 * The value itself is returned while it is known, so that callers wait for nothing.
 */
export class RememberedDocument<T> {
  readonly #feed: ChangeFeed;
  readonly #read: () => Promise<T>;
  /** As it was read last, or is being read; a change removes it. */
  #known: { value: T | Promise<T> } | undefined;

  /** @param path the document's, as `<collection>:<key>`; the feed must tell of its changes */
  constructor(feed: ChangeFeed, path: string, read: () => Promise<T>) {
    this.#feed = feed;
    this.#read = read;
    feed.listen((changed) => {
      if (changed === undefined || changed === path) this.forget();
    });
  }

  /** Whether the feed is up, so that `current` mostly costs nothing. */
  get isRemembered(): boolean {
    return this.#feed.isUp();
  }

  /** The value now. @throws what the read throws */
  current(): T | Promise<T> {
    if (!this.#feed.isUp()) return this.#read();
    this.#known ??= this.#remember();
    return this.#known.value;
  }

  /** Has the next call read again. */
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

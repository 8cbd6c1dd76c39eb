import type { Attempts } from "./attempts.ts";
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
export interface Backend {
  readonly capabilities: Capabilities;
  read(key: string): Promise<string | undefined>;
  /** Stores `next`, or removes the key where there is none, if what lies there is as expected. */
  swap(key: string, expected: Expected, next: Replacement | undefined): Promise<Swap>;
  take(key: string): Promise<string | undefined>;
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Counts attempts for all processes, by `<name>:<key>`; absent where there are no others. */
  attempts?(name: string, window: number): Attempts;
  /** Tells of changes below a prefix that other processes make; absent where there are no others. */
  watch?(prefix: string, tell: ChangeListener): RemoteFeed;
}

/** Changes from elsewhere. */
export interface RemoteFeed {
  /** Whether none goes by unheard. */
  isUp(): boolean;
  close(): void;
}

/** Makes every failure of a backend a {@link StorageUnavailableError} that says no more than its place. */
export function withUnavailable(backend: Backend, driver: string): Backend {
  async function attempt<T>(operation: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      throw new StorageUnavailableError(`The storage "${driver}" failed to ${operation}`, {
        cause,
      });
    }
  }
  return {
    capabilities: backend.capabilities,
    read: (key) => attempt("read", () => backend.read(key)),
    swap: (key, expected, next) => attempt("write", () => backend.swap(key, expected, next)),
    take: (key) => attempt("take", () => backend.take(key)),
    ping: () => attempt("answer", () => backend.ping()),
    close: () => backend.close(),
    ...(backend.watch && { watch: backend.watch.bind(backend) }),
    ...(backend.attempts && { attempts: withUnavailableAttempts(backend.attempts.bind(backend)) }),
  };

  function withUnavailableAttempts(open: NonNullable<Backend["attempts"]>): typeof open {
    return (name, window) => {
      const attempts = open(name, window);
      return {
        read: (key) => attempt("read a count", () => attempts.read(key)),
        add: (key) => attempt("count", () => attempts.add(key)),
        takeBack: (key) => attempt("count", () => attempts.takeBack(key)),
        clear: (key) => attempt("clear a count", () => attempts.clear(key)),
      };
    };
  }
}

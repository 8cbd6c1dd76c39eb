/** Removes a document whose time has come. @returns when to look again, where it lives on */
export type Expire = (key: string) => Promise<number | undefined>;

/**
 * Remembers when documents end, and has them removed though nobody reads them.
 *
 * One timer for all: a timer of its own per document fires at once above 2^31 ms. A key has one entry;
 * where its document was extended meanwhile, `expire` says so when the old time comes.
 */
export class Expiry {
  readonly #expire: Expire;
  readonly #buckets = new Map<number, Set<string>>();
  readonly #bucketOf = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #isSweeping = false;
  #isStopped = false;

  constructor(expire: Expire) {
    this.#expire = expire;
    this.#timer = setInterval(() => void this.#sweep(), interval);
    this.#timer.unref();
  }

  /** Waits for a document that ends at `expiresAt` (epoch milliseconds), or earlier where that is known. */
  add(key: string, expiresAt: number): void {
    const bucket = Math.ceil(expiresAt / bucketWidth);
    const known = this.#bucketOf.get(key);
    if (known !== undefined && known <= bucket) return;
    this.delete(key);
    const keys = this.#buckets.get(bucket) ?? new Set();
    this.#buckets.set(bucket, keys.add(key));
    this.#bucketOf.set(key, bucket);
  }

  /** Waits no longer for a document. */
  delete(key: string): void {
    const bucket = this.#bucketOf.get(key);
    if (bucket === undefined) return;
    this.#bucketOf.delete(key);
    const keys = this.#buckets.get(bucket);
    keys?.delete(key);
    if (keys?.size === 0) this.#buckets.delete(bucket);
  }

  /** Ends the timer. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const keys = this.#takeDue(batchSize);
    for (let start = 0; start < keys.length && !this.#isStopped; start += parallel) {
      await Promise.all(keys.slice(start, start + parallel).map((key) => this.#end(key)));
    }
    this.#isSweeping = false;
  }

  async #end(key: string): Promise<void> {
    // A storage that is out of order is asked again later.
    const next = await this.#expire(key).catch(() => Date.now() + retryAfter);
    if (next !== undefined) this.add(key, next);
  }

  #takeDue(limit: number): string[] {
    const now = Math.floor(Date.now() / bucketWidth);
    const due: string[] = [];
    for (const [bucket, keys] of this.#buckets) {
      if (bucket > now) continue;
      for (const key of keys) {
        if (due.length === limit) return due;
        this.delete(key);
        due.push(key);
      }
    }
    return due;
  }
}

// --- Internal helpers ---

/** Milliseconds between two sweeps. */
const interval = 1000;
/** Milliseconds that share a bucket; each sweep looks at all buckets, so there should not be too many. */
const bucketWidth = 10_000;
/** The most documents of one sweep, so that a wave of them does not hold up the calls. */
const batchSize = 2000;
/** How many of them are removed at the same time. */
const parallel = 50;
/** Milliseconds until a document is tried again that could not be removed. */
const retryAfter = 60_000;

/** Removes a document whose time has come. @returns when to look again, where it lives on */
export type Expire = (key: string) => Promise<number | undefined>;

/**
 * Remembers when documents end, and has them removed though nobody reads them.
 *
 * One timer for all: a timer of its own per document fires at once above 2^31 ms. A key has one entry;
 * where its document was extended meanwhile, `expire` says so when the old time comes.
 */
export class ExpirySweeper {
  readonly #expire: Expire;
  /** When each document is due, in epoch seconds: until 2038 a number that V8 keeps within the map. */
  readonly #ends = new Map<string, number>();
  /** What sweeps have not come to yet in this round through all entries. */
  #round = this.#ends.entries();
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
    const end = Math.ceil(expiresAt / 1000);
    if (end < (this.#ends.get(key) ?? Infinity)) this.#ends.set(key, end);
  }

  /** Waits no longer for a document. */
  delete(key: string): void {
    this.#ends.delete(key);
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

  /** Goes on where the last sweep stopped; what is added meanwhile comes last. */
  #takeDue(limit: number): string[] {
    const now = Date.now() / 1000;
    const due: string[] = [];
    let left = Math.max(limit, this.#ends.size / sweepsPerRound);
    for (const [key, end] of this.#round) {
      if (end <= now) {
        this.#ends.delete(key);
        due.push(key);
      }
      if (--left <= 0 || due.length === limit) return due;
    }
    this.#round = this.#ends.entries();
    return due;
  }
}

// --- Internal helpers ---

/** Milliseconds between two sweeps. */
const interval = 1000;
/** How many sweeps it takes to look at all entries, so that none takes long; fewer where they are few. */
const sweepsPerRound = 10;
/** The most documents of one sweep, so that a wave of them does not hold up the calls. */
const batchSize = 2000;
/** How many of them are removed at the same time. */
const parallel = 50;
/** Milliseconds until a document is tried again that could not be removed. */
const retryAfter = 60_000;

/** Removes a document if it has expired. @returns when it expires, if it has not */
export type Expire = (key: string) => Promise<number | undefined>;

/**
 * Removes documents after they expire.
 *
 * One timer serves all documents, because a timer above 2^31 ms fires immediately. A key has one entry. If its
 * document was extended, `expire` returns the new time when the old one has passed.
 */
export class ExpirySweeper {
  readonly #expire: Expire;
  /** When each document expires, in epoch seconds: small integers, which V8 stores in the map itself. */
  readonly #ends = new Map<string, number>();
  /** Iterator position of the running round. */
  #round = this.#ends.entries();
  /** Created by the first document, because a worker has no timers while its modules load. */
  #timer: NodeJS.Timeout | undefined;
  #isSweeping = false;
  #isStopped = false;

  constructor(expire: Expire) {
    this.#expire = expire;
  }

  /** Adds a document that expires at `expiresAt` (epoch milliseconds). An earlier time of its key stays. */
  add(key: string, expiresAt: number): void {
    if (!this.#isStopped) this.#timer ??= this.#start();
    const end = Math.ceil(expiresAt / 1000);
    if (end < (this.#ends.get(key) ?? Infinity)) this.#ends.set(key, end);
  }

  /** Removes the entry of a document. */
  delete(key: string): void {
    this.#ends.delete(key);
  }

  /** Stops the timer. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  #start(): NodeJS.Timeout {
    return setInterval(() => void this.#sweep(), interval).unref();
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
    // If the storage fails, try again later.
    const next = await this.#expire(key).catch(() => Date.now() + retryAfter);
    if (next !== undefined) this.add(key, next);
  }

  /** Continues where the last sweep stopped. New entries come last. */
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
/** The number of sweeps for a round through all entries, so that no sweep takes long. */
const sweepsPerRound = 10;
/** The most documents of one sweep, so that calls don't wait for many removals. */
const batchSize = 2000;
/** The number of parallel removals. */
const parallel = 50;
/** Milliseconds until the next attempt to remove a document, after an error. */
const retryAfter = 60_000;

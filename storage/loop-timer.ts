import { setImmediate, setTimeout } from "node:timers";

/** Work that is under way, as a {@link LoopTimer} knows it. */
export interface Timed {
  readonly lastTick: number;
  readonly expire: () => void;
}

/**
 * A time limit in the event loop's own time. A method that holds the loop for seconds counts as one tick of
 * a tenth of the limit, and replies that have arrived are read before their time is over.
 */
export class LoopTimer {
  readonly #interval: number;
  /** In the order of their start, so the first ones are over first. */
  readonly #pending = new Set<Timed>();
  #tick = 0;
  #isTicking = false;

  /** @param limit milliseconds; work ends at most a tenth later */
  constructor(limit: number) {
    this.#interval = Math.max(1, limit / ticks);
  }

  /** Calls `expire` when the limit has passed, unless the work ended before. */
  start(expire: () => void): Timed {
    const timed = { lastTick: this.#tick + ticks, expire };
    this.#pending.add(timed);
    if (!this.#isTicking) this.#wait();
    return timed;
  }

  /** Tells that the work has ended. */
  end(timed: Timed): void {
    this.#pending.delete(timed);
  }

  #wait(): void {
    this.#isTicking = true;
    setTimeout(() => this.#advanceAfterReads(), this.#interval);
  }

  /** A timer can come before the loop has read its sockets, an immediate comes after. */
  #advanceAfterReads(): void {
    const at = performance.now();
    setImmediate(() => {
      // If the loop was held since, replies can have arrived since.
      const wasHeld = performance.now() - at > this.#interval;
      if (wasHeld) this.#advanceAfterReads();
      else this.#advance();
    });
  }

  #advance(): void {
    this.#tick++;
    for (const timed of this.#pending) {
      if (timed.lastTick >= this.#tick) break;
      this.#pending.delete(timed);
      timed.expire();
    }
    this.#isTicking = false;
    if (this.#pending.size > 0) this.#wait();
  }
}

// --- Internal helpers ---

const ticks = 10;

import { setImmediate, setTimeout } from "node:timers";

/** Work that is under way, as its {@link LoopTimer} knows it: a link of a list, for there are many. */
export interface Timed {
  readonly lastTick: number;
  readonly expire: () => void;
  previous: Timed | undefined;
  next: Timed | undefined;
  isPending: boolean;
}

/**
 * A time limit in the event loop's own time. A method that holds the loop for seconds counts as one tick of
 * a tenth of the limit, and replies that have arrived are read before their time is over.
 */
export class LoopTimer {
  readonly #interval: number;
  /** In the order of their start, so the first ones are over first. */
  #first: Timed | undefined;
  #last: Timed | undefined;
  #tick = 0;
  #isTicking = false;

  /** @param limit milliseconds; work ends at most a tenth later */
  constructor(limit: number) {
    this.#interval = Math.max(1, limit / ticks);
  }

  /** Calls `expire` when the limit has passed, unless the work ended before. */
  start(expire: () => void): Timed {
    const previous = this.#last;
    const lastTick = this.#tick + ticks;
    const timed: Timed = { lastTick, expire, previous, next: undefined, isPending: true };
    if (previous === undefined) this.#first = timed;
    else previous.next = timed;
    this.#last = timed;
    if (!this.#isTicking) this.#wait();
    return timed;
  }

  /** Tells that the work has ended. */
  end(timed: Timed): void {
    if (!timed.isPending) return;
    timed.isPending = false;
    const { previous, next } = timed;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    timed.previous = undefined;
    timed.next = undefined;
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
    for (let timed = this.#first; timed !== undefined; timed = this.#first) {
      if (timed.lastTick >= this.#tick) break;
      this.end(timed);
      timed.expire();
    }
    this.#isTicking = false;
    if (this.#first !== undefined) this.#wait();
  }
}

// --- Internal helpers ---

const ticks = 10;

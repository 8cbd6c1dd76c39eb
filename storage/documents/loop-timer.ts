import { setImmediate } from "node:timers";
import { systemClock } from "../clock.ts";

/** Work in progress of a {@link LoopTimer}: a link of a list, because there are many. */
export interface Timed {
  readonly lastTick: number;
  readonly expire: () => void;
  previous: Timed | undefined;
  next: Timed | undefined;
  isPending: boolean;
}

/**
 * A time limit in the event loop's own time, also in a test with a clock of its own. If a method holds the loop for
 * seconds, they count as a tenth of the limit, so the process first reads replies that have arrived.
 */
export class LoopTimer {
  readonly #interval: number;
  /** In the order of their start, so the first ones expire first. */
  #first: Timed | undefined;
  #last: Timed | undefined;
  #tick = 0;
  #isTicking = false;

  /** @param limit milliseconds; a timeout comes at most a tenth later */
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

  /** Marks the work as ended. */
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
    systemClock.setTimeout(() => this.#advanceAfterReads(), this.#interval);
  }

  /** A timer can run before the loop has read its sockets; an immediate runs after. */
  #advanceAfterReads(): void {
    const at = systemClock.monotonic();
    setImmediate(() => {
      // If a method has held the loop since then, replies may have arrived.
      const wasHeld = systemClock.monotonic() - at > this.#interval;
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

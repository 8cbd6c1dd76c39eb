import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import { setTimeout as wait } from "node:timers/promises";

/** The time and the timers of a storefront: of its sessions, documents, caches, and calls. A test can let time pass. */
export interface Clock {
  /** The time of day, in epoch milliseconds. It jumps if somebody sets the computer's clock. */
  now(): number;
  /** Milliseconds since a fixed moment. They never jump, so measure durations with them. */
  monotonic(): number;
  /** Calls `run` once, after a number of milliseconds. */
  setTimeout(run: () => void, milliseconds: number): Timer;
  /** Calls `run` each time that a number of milliseconds has passed. */
  setInterval(run: () => void, milliseconds: number): Timer;
  /** A signal that aborts with a TimeoutError after a number of milliseconds, as `AbortSignal.timeout` does. */
  timeout(milliseconds: number): AbortSignal;
}

/** A timer of a {@link Clock}. It keeps the process running until it is canceled, or until a timeout has fired. */
export interface Timer {
  /** Lets the process end before the timer fires. */
  unref(): Timer;
  cancel(): void;
}

/**
 * The computer's clock. Connections and the time limits of storages use it directly, because the other side of a socket
 * doesn't follow the clock of a test. It looks its functions up at each call, because tests replace the global ones.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, milliseconds) => toTimer(setTimeout(run, milliseconds), clearTimeout),
  setInterval: (run, milliseconds) => toTimer(setInterval(run, milliseconds), clearInterval),
  timeout: (milliseconds) => AbortSignal.timeout(milliseconds),
};

/**
 * Waits for other work of the event loop, or before the next attempt at something that another process must free. This is
 * real time, also in a test with a clock of its own. On that clock, the wait would last until the test advances it.
 */
export async function pause(
  milliseconds: number,
  options?: { readonly signal?: AbortSignal | undefined; readonly ref?: boolean },
): Promise<void> {
  await wait(milliseconds, undefined, options as { signal?: AbortSignal; ref?: boolean });
}

// --- Internal helpers ---

function toTimer(timer: NodeJS.Timeout, clear: (timer: NodeJS.Timeout) => void): Timer {
  const own: Timer = {
    unref() {
      timer.unref();
      return own;
    },
    cancel: () => clear(timer),
  };
  return own;
}

import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "../../storage/clock.ts";

/** The clock of a test. It changes only when the test lets time pass. */
export interface TestClock extends Clock {
  /**
   * Lets seconds pass. Due timers fire in their order, each at its own time; a repeating one fires once, as after a
   * computer's sleep. Waits for the work of the timers in memory, but not for files or the network.
   * @throws TypeError if `seconds` isn't a number, 0 or more
   */
  advance(seconds: number): Promise<void>;
}

/** Creates a clock for `createTestStorefront`. @param start its first time. Default: the computer's time. */
export function createTestClock(start = new Date()): TestClock {
  const begin = start.getTime();
  /** Milliseconds that have passed. */
  let passed = 0;
  /** In the order of their creation. */
  const timers = new Set<Due>();
  return {
    now: () => begin + passed,
    monotonic: () => passed,
    setTimeout: (run, milliseconds) => add({ run, at: passed + milliseconds }),
    setInterval: (run, milliseconds) =>
      add({ run, at: passed + milliseconds, period: Math.max(1, milliseconds) }),
    timeout(milliseconds) {
      const controller = new AbortController();
      const reason = new DOMException("The time has passed", "TimeoutError");
      add({ run: () => controller.abort(reason), at: passed + milliseconds });
      return controller.signal;
    },
    async advance(seconds) {
      if (!Number.isFinite(seconds) || seconds < 0) {
        throw new TypeError(`advance: received ${String(seconds)}. Expected seconds, 0 or more`);
      }
      const end = passed + seconds * 1000;
      await settle();
      for (let next = findNext(end); next !== undefined; next = findNext(end)) {
        const { run, period } = next;
        passed = Math.max(passed, lastTime(next, end));
        if (period === undefined) timers.delete(next);
        else next.at = passed + period;
        run();
        await settle();
      }
      passed = end;
    },
  };

  function add(due: Due): Timer {
    timers.add(due);
    const timer: Timer = { unref: () => timer, cancel: () => void timers.delete(due) };
    return timer;
  }

  function findNext(end: number): Due | undefined {
    let next: Due | undefined;
    for (const timer of timers) {
      if (timer.at > end) continue;
      if (next === undefined || lastTime(timer, end) < lastTime(next, end)) next = timer;
    }
    return next;
  }
}

// --- Internal helpers ---

/** A timer; times are milliseconds since the start. */
interface Due {
  readonly run: () => void;
  at: number;
  /** Only of a repeating timer. */
  readonly period?: number;
}

/** The last time that a timer is due, up to `end`. */
function lastTime({ at, period }: Due, end: number): number {
  return period === undefined ? at : at + Math.floor((end - at) / period) * period;
}

/** Waits until promises and immediates that follow from a timer have run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 10; round++) await setImmediate();
}

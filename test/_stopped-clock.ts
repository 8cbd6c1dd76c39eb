import { onTestFinished, vi } from "vitest";
import { systemClock } from "../storage/clock.ts";

/**
 * Stops the clock of durations until the test ends, for example that of the pause of a circuit breaker. So no test depends on
 * the speed of the machine. Timers go on.
 */
export function stopMonotonicClock() {
  let now = 0;
  const spy = vi.spyOn(systemClock, "monotonic").mockImplementation(() => now);
  onTestFinished(() => spy.mockRestore());
  return { pass: (milliseconds: number) => void (now += milliseconds) };
}

/** Sets the time of day forward until the test ends. Timers go on. */
export function setForward(milliseconds: number): void {
  const spy = vi.spyOn(systemClock, "now").mockImplementation(() => Date.now() + milliseconds);
  onTestFinished(() => spy.mockRestore());
}

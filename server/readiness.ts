import { setTimeout } from "node:timers";

/**
 * Makes a check that runs once a second at most, for all callers, so that frequent calls of `/readyz` put no load on
 * the storages.
 */
export function createReadiness(check: () => Promise<void>): () => Promise<void> {
  let known: Promise<void> | undefined;
  const forgetLater = () => void setTimeout(() => (known = undefined), validity).unref();
  return function checkOnce() {
    if (known !== undefined) return known;
    known = check();
    known.then(forgetLater, forgetLater);
    return known;
  };
}

// --- Internal helpers ---

/** Milliseconds. */
const validity = 1000;

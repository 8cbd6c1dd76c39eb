import type { Logger } from "../../shared/log.ts";
import { systemClock, type Clock } from "../../storage/clock.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";

/**
 * Waits for a step of the start. It can need a system that is slow or down, so this logs a warning every ten seconds
 * until the step ends.
 * @param name completes "Still waiting for". It can end with the code of the error that the step can have.
 */
export async function waitForStep<Result>(
  name: string,
  log: Pick<Logger, "warn">,
  step: Promise<Result> | Result,
  clock: Clock = systemClock,
): Promise<Result> {
  const begin = clock.monotonic();
  const warn = () => {
    const seconds = Math.round((clock.monotonic() - begin) / 1000);
    log.warn(`Still waiting for ${name}`, { seconds });
  };
  // If nothing else keeps the process running, it ends with an error.
  const timer = clock.setInterval(warn, interval).unref();
  try {
    return await step;
  } finally {
    timer.cancel();
  }
}

/** Waits until a storage is open. See {@link waitForStep}. */
export function waitForStorage(
  store: Pick<DocumentStore, "driver" | "ready">,
  log: Pick<Logger, "warn">,
  clock?: Clock,
): Promise<void> {
  return waitForStep(`the storage "${store.driver}" to open (SF702)`, log, store.ready(), clock);
}

// --- Internal helpers ---

/** Milliseconds. */
const interval = 10_000;

/** Waits. @throws the signal's reason */
export function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<unknown> {
  return orAborted(new Promise((resolve) => setTimeout(resolve, milliseconds)), signal);
}

/** Waits for a result that others wait for, too. @throws the signal's reason */
export async function orAborted<T>(
  waiting: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return waiting;
  const stop = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { signal: stop.signal });
  });
  return Promise.race([aborted, waiting]).finally(() => stop.abort());
}

/** Runs a call with a signal that also aborts after a time. @param timeout seconds */
export async function withTimeout<T>(
  timeout: number | undefined,
  given: AbortSignal | undefined,
  run: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (timeout === undefined) return run(given);
  const controller = new AbortController();
  const { signal } = controller;
  const abort = () => controller.abort(given?.reason);
  if (given?.aborted) abort();
  given?.addEventListener("abort", abort);
  const late = () => controller.abort(new DOMException("The call took too long", "TimeoutError"));
  const timer = setTimeout(late, Math.min(timeout * 1000, longestTimer));
  try {
    // A `fetch` of a framework can ignore the signal.
    return await orAborted(run(signal), signal);
  } finally {
    clearTimeout(timer);
    given?.removeEventListener("abort", abort);
  }
}

// --- Internal helpers ---

/** 24.8 days in milliseconds. A longer timer fires immediately. */
const longestTimer = 2 ** 31 - 1;

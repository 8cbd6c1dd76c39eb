import { HTTPError } from "h3";

/** Whether a call failed because its client has gone away, so that what it waited for was aborted. */
export function isClientGone(error: unknown, request: { readonly signal: AbortSignal }): boolean {
  try {
    // The signal is made when it is asked for, and refusals are many.
    if (HTTPError.isError(error) && error.status < 500) return false;
    const { signal } = request;
    if (!signal.aborted) return false;
    let link = error;
    for (let depth = 0; depth < maxDepth && link !== undefined; depth++) {
      if (link === signal.reason || isAbort(link)) return true;
      link = (link as { readonly cause?: unknown } | null)?.cause;
    }
  } catch {
    // What can be thrown need not bear to be looked at.
  }
  return false;
}

// --- Internal helpers ---

/** Causes below causes. */
const maxDepth = 8;

/** As the platform, Node and axios say it. */
function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  const isAborted = error.name === "AbortError" || error.name === "CanceledError";
  return isAborted || code === "ABORT_ERR" || code === "ERR_CANCELED";
}

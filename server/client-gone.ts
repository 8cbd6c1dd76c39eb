import { HTTPError } from "h3";
import { clientSignal, type ClientRequest } from "./client-signal.ts";

/** Whether a call failed because its client disconnected, which aborted the work of the call. */
export function isClientGone(error: unknown, request: ClientRequest): boolean {
  try {
    // Node creates the signal when it is first read, and many calls fail with such errors.
    if (HTTPError.isError(error) && error.status < 500) return false;
    const signal = clientSignal(request);
    if (!signal.aborted) return false;
    let link = error;
    for (let depth = 0; depth < maxDepth && link !== undefined; depth++) {
      if (link === signal.reason || isAbort(link)) return true;
      link = (link as { readonly cause?: unknown } | null)?.cause;
    }
  } catch {
    // Reading a thrown value can throw, too.
  }
  return false;
}

// --- Internal helpers ---

/** The most causes that are followed. */
const maxDepth = 8;

/** The names and codes of aborts on the platform, in Node, and in axios. */
function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  const isAborted = error.name === "AbortError" || error.name === "CanceledError";
  return isAborted || code === "ABORT_ERR" || code === "ERR_CANCELED";
}

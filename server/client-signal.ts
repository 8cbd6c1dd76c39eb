import { HTTPError } from "h3";
import type { ServerRequest } from "srvx";
import { describeError, type Logger } from "../shared/log.ts";

/**
 * The signal that aborts when the client disconnects. On Node.js, this listens to the response, because
 * `request.signal` of some servers also aborts after the body has been read (srvx 0.8 of Nitro 3.0).
 */
export function clientSignal(request: ServerRequest): AbortSignal {
  const response = request.runtime?.node?.res;
  if (response === undefined) return request.signal;
  const known = signals.get(response);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const abort = () => {
    if (response.writableEnded) return;
    controller.abort(new DOMException("The client disconnected", "AbortError"));
  };
  if (response.closed) abort();
  else response.once("close", abort);
  signals.set(response, controller.signal);
  return controller.signal;
}

/** Whether a call failed because its client disconnected, which aborted the work of the call. */
export function isClientGone(error: unknown, request: ServerRequest): boolean {
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

/**
 * Wraps a body, and logs an error that ends it early: the client sees only a closed connection. If the client has
 * left, that isn't an error.
 */
export function watchBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: ServerRequest,
  log: Logger,
): typeof body {
  const reader = body.getReader();
  let isCanceled = false;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isCanceled) return;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          const details = { error: describeError(error) };
          if (isCanceled || isClientGone(error, request)) {
            log.debug("A client left before the body of a method's Response ended", details);
          } else {
            log.error("The body of a method's Response failed midway", details);
          }
          controller.error(error);
        }
      },
      cancel(reason) {
        isCanceled = true;
        return reader.cancel(reason);
      },
    },
    // Read nothing before the client can receive it.
    { highWaterMark: 0 },
  );
}

// --- Internal helpers ---

/** Each response has one signal, because a call reads it several times. */
const signals = new WeakMap<object, AbortSignal>();

/** The most causes that are followed. */
const maxDepth = 8;

/** The names and codes of aborts on the platform, in Node, and in axios. */
function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  const isAborted = error.name === "AbortError" || error.name === "CanceledError";
  return isAborted || code === "ABORT_ERR" || code === "ERR_CANCELED";
}

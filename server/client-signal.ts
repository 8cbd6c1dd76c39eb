import type { ServerRequest } from "srvx";

/** A request whose client can disconnect. */
export type ClientRequest = Pick<ServerRequest, "signal"> & Partial<Pick<ServerRequest, "runtime">>;

/**
 * The signal that aborts when the client disconnects. `request.signal` of some servers also aborts after the body has
 * been read (srvx 0.8, which Nitro 3.0 has), so on Node.js this listens to the response.
 */
export function clientSignal(request: ClientRequest): AbortSignal {
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

// --- Internal helpers ---

/** Each response has one signal, because a call reads it several times. */
const signals = new WeakMap<object, AbortSignal>();

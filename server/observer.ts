import type { RpcObserver } from "../rpc/rpc-observer.ts";
import type { TraceIds } from "../rpc/trace-ids.ts";
import type { StorageObserver } from "../storage/storage-observer.ts";

/**
 * The session of a call.
 *
 * - `none`: the client sent no valid session ID.
 * - `active`: the call has a session.
 * - `expired`: the ID has a valid signature, but its session is gone: it has expired, or ended more than 30 s ago.
 * - `retired`, `ended`: a login replaced the ID, or a logout or a revocation ended the session, less than 30 s ago.
 * - `reused`: the client used an ID after its grace period, so the server ended the session.
 */
export type SessionState = "none" | "active" | "expired" | "retired" | "ended" | "reused";

/** A call that has ended. It has no secret, and no text that a client can choose. */
export interface ObservedCall {
  /** `undefined` if the request matched no shop. */
  readonly shopId: number | undefined;
  /** `undefined` if the shop has no such method. */
  readonly method: string | undefined;
  /** The HTTP status of the response. */
  readonly status: number;
  /** The code of the error; `undefined` if the call succeeded. */
  readonly code: string | undefined;
  readonly seconds: number;
  /** `undefined` if the call failed before the lookup, or if its method is public. */
  readonly session: SessionState | undefined;
  /** Whether the session came from the cache of this process. */
  readonly isCached: boolean;
  /** The handle of the user's session, as in `listSessions`; it isn't a credential. `undefined` for guests. */
  readonly handle: string | undefined;
  /** An ID that no other call has, also in the log lines of the call; only with `log.calls`. */
  readonly id: string | undefined;
  /** Storage operations of the call; only with `log.calls`, and on Node. */
  readonly operations: number | undefined;
  /** The span of the call, or else the one in its valid `traceparent`; only with `log.calls`. */
  readonly trace: TraceIds | undefined;
}

/**
 * Receives the events of a storefront, for metrics, log lines, and traces. Each function runs during calls, so it must be
 * fast. If it throws, the server logs the error, and the call continues.
 */
export interface Observer extends StorageObserver, RpcObserver {
  /** A call has ended. A batch reports each of its calls. */
  call(call: ObservedCall): void;
}

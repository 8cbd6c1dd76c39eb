import type { TraceIds } from "./trace-ids.ts";

/** The operations of a storage. */
export type StorageOperation = "read" | "swap" | "take" | "set_aside" | "count" | "ping";

/** `conflict`: another writer was faster, so the change is tried again on the newer document. */
export type StorageOutcome = "ok" | "conflict" | "error";

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

/** Events of sessions. */
export type SessionEvent = "begun" | "extended" | "renewed" | "ended";

/**
 * Why an event of a session happened.
 *
 * - `begun`: for a `guest` or a `user`. `extended`: by a call, `use`.
 * - `renewed`: the ID was replaced because of its `age`, or of a change of `privilege`.
 * - `ended`: by a `logout`, a `login` that replaced the session, a revocation (`revoked`), the `limit` of sessions, an ID
 *   that was `reused`, or because the user's index was lost (`index_lost`).
 */
export type SessionReason =
  | "guest"
  | "user"
  | "use"
  | "age"
  | "privilege"
  | "logout"
  | "login"
  | "revoked"
  | "limit"
  | "reused"
  | "index_lost";

/**
 * Receives what a storefront does, for metrics, log lines, and traces. Each function runs during calls, so it must be
 * fast. If it throws, the server logs the error, and the call continues.
 */
export interface Observer {
  /** A call has ended. A batch reports each of its calls. */
  call(call: ObservedCall): void;
  /** An operation of a storage has ended. @param driver the name of the storage's driver */
  storage(
    driver: string,
    operation: StorageOperation,
    outcome: StorageOutcome,
    seconds: number,
  ): void;
  /** Something happened to `count` sessions of a shop. */
  session(shopId: number, event: SessionEvent, reason: SessionReason, count: number): void;
  /** A read of `cached` got a stored value (`hit`), or began a load (`miss`); or a load began for a stale value (`refresh`). */
  cache(shopId: number, result: "hit" | "miss" | "refresh"): void;
  /** A login, or a later call, merged a guest's lists into the user's, or left that to the next call (`owed`). */
  merge(shopId: number, outcome: "done" | "owed"): void;
  /** This process ended all sessions of a user. */
  revoked(): void;
  /** This process learned of a revocation by another one. @param seconds since the revocation, by both clocks */
  revocationHeard(seconds: number): void;
}

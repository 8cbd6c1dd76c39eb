/** The operations of a storage. */
export type StorageOperation = "read" | "swap" | "take" | "set_aside" | "count" | "ping";

/** `conflict`: another writer was faster, so the change is tried again on the newer document. */
export type StorageOutcome = "ok" | "conflict" | "error";

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

/** Receives what happens to the documents of a storage, and to the sessions in them. */
export interface StorageObserver {
  /** An operation of a storage has ended. @param driver the name of the storage's driver */
  storage(
    driver: string,
    operation: StorageOperation,
    outcome: StorageOutcome,
    seconds: number,
  ): void;
  /** Something happened to `count` sessions of a shop. */
  session(shopId: number, event: SessionEvent, reason: SessionReason, count: number): void;
  /** This process ended all sessions of a user. */
  revoked(): void;
  /** This process learned of a revocation by another one. @param seconds since the revocation, by both clocks */
  revocationHeard(seconds: number): void;
}

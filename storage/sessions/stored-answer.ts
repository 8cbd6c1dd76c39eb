import type { ListKind } from "./list-kind.ts";

/** The answer to a call with an `Idempotency-Key`, in the record of the visitor's session. */
export interface StoredAnswer {
  /** The ID of the key. */
  readonly id: string;
  /** The fingerprint of the method and the payload. */
  readonly fingerprint: string;
  /** When the call began or ended, in epoch milliseconds. */
  readonly at: number;
  /** Random, of the call that is still running. Only that call may store its answer. */
  readonly holder?: string | undefined;
  /** For how long waiting calls have seen this holder, in milliseconds. */
  readonly watched?: number | undefined;
  /** The HTTP status; absent while the call is running. */
  readonly status?: number | undefined;
  /** JSON; absent for none, and for an answer that is too large. */
  readonly body?: string | undefined;
  /** Headers that the method has set, or that belong to its error; absent: none. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Instead of a body: the answer is the current list. */
  readonly list?: ListKind | undefined;
}

/** Whether a stored value can be the answers of a session. */
export function isStoredAnswers(value: unknown): value is readonly StoredAnswer[] {
  return Array.isArray(value) && value.every(isStoredAnswer);
}

// --- Internal helpers ---

function isStoredAnswer(value: unknown): value is StoredAnswer {
  const { id, fingerprint, at, holder, watched, status, body, headers, list } = (value ??
    {}) as Partial<StoredAnswer>;
  return (
    typeof id === "string" &&
    typeof fingerprint === "string" &&
    Number.isFinite(at) &&
    (holder === undefined || typeof holder === "string") &&
    (watched === undefined || Number.isFinite(watched)) &&
    (status === undefined || Number.isInteger(status)) &&
    (body === undefined || typeof body === "string") &&
    (headers === undefined || (Array.isArray(headers) && headers.every(isHeader))) &&
    (list === undefined || list === "basket" || list === "wishlist")
  );
}

function isHeader(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === "string")
  );
}

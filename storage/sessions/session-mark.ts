import type { Change } from "../documents/documents.ts";
import { isUserId, type SessionRecord, type StoredRecord } from "./session-record.ts";

/**
 * The tombstone under the key of a session ID that is no longer valid. It tells late calls the reason.
 *
 * A mark names no basket, no data, and no tokens, and only `renewed` resolves to a session.
 */
export type SessionMark = RenewedMark | RetiredMark | EndedMark;

/** The ID was renewed because of its age. The old ID still resolves to the session. */
export interface RenewedMark {
  readonly mark: "renewed";
  /** The new ID. */
  readonly to: string;
  /** When the ID was renewed, in epoch milliseconds. */
  readonly at: number;
  readonly handle: string;
  readonly userId: string | number;
  /** Copied from the record that this mark replaced. */
  readonly firstUsedAt?: number | undefined;
}

/** A login or a change of privilege replaced the ID. It resolves to no session. */
export interface RetiredMark {
  readonly mark: "retired";
  /** The new ID of the same session; only the server that moved the session compares it, and no call follows it. */
  readonly for?: string | undefined;
}

/** A logout or a revocation ended the session. */
export interface EndedMark {
  readonly mark: "ended";
}

/** The grace period for calls that were on their way with an old ID, in milliseconds. */
export const graceMilliseconds = 30_000;

/** The change at the end of a session: a record becomes a mark; an existing `retired` or `ended` mark stays. */
export function toEnded(current: SessionRecord | SessionMark | undefined): Change<EndedMark> {
  const isValid = current !== undefined && (current.mark ?? "renewed") === "renewed";
  return isValid ? { set: { mark: "ended" }, expiresAt: Date.now() + graceMilliseconds } : "keep";
}

/** Whether a stored value is a mark. */
export function isSessionMark(value: unknown): value is SessionMark {
  if (typeof value !== "object" || value === null) return false;
  const { mark, to, at, handle, userId, firstUsedAt, for: successor } = value as Loose;
  if (mark === "ended") return true;
  if (mark === "retired") return successor === undefined || typeof successor === "string";
  return (
    mark === "renewed" &&
    typeof to === "string" &&
    typeof at === "number" &&
    typeof handle === "string" &&
    isUserId(userId) &&
    (firstUsedAt === undefined || typeof firstUsedAt === "number")
  );
}

/** Converts a mark of an earlier version, which stored marks as records. */
export function toRenewedMark({ user, handle, replacedBy }: StoredRecord): SessionMark | undefined {
  if (replacedBy === undefined) return undefined;
  if (user === undefined || typeof replacedBy.id !== "string") return { mark: "ended" };
  return { mark: "renewed", to: replacedBy.id, at: replacedBy.at, handle, userId: user.id };
}

// --- Internal helpers ---

type Loose = Readonly<Record<string, unknown>>;

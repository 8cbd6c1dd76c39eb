import type { Change } from "./documents.ts";
import { isUserId, type SessionRecord, type StoredRecord } from "./session-record.ts";

/**
 * What stays under the key of a session ID that is no longer valid, so that late calls learn why.
 *
 * A mark names no basket, no data and no tokens, and only `renewed` leads to a session.
 */
export type SessionMark = RenewedMark | RetiredMark | EndedMark;

/** The session got a new ID because the old one had been around for long. The old ID still leads there. */
export interface RenewedMark {
  readonly mark: "renewed";
  /** The ID that follows. */
  readonly to: string;
  /** When the ID was renewed, in epoch milliseconds. */
  readonly at: number;
  readonly handle: string;
  readonly userId: string | number;
  /** As in the record that this mark replaced. */
  readonly firstUsedAt?: number | undefined;
}

/** A login or a change of privilege replaced the ID. It leads nowhere. */
export interface RetiredMark {
  readonly mark: "retired";
  /** The new ID of the same session, which the server that moved it compares; it is never followed. */
  readonly for?: string | undefined;
}

/** A logout or a revocation ended the session. */
export interface EndedMark {
  readonly mark: "ended";
}

/** How long calls that were on their way with an old ID may take, in milliseconds. */
export const graceMilliseconds = 30_000;

/** What the end of a session does to what is under its key: an ID that is no longer valid keeps its mark. */
export function toEnded(current: SessionRecord | SessionMark | undefined): Change<EndedMark> {
  const isValid = current !== undefined && (current.mark ?? "renewed") === "renewed";
  return isValid ? { set: { mark: "ended" }, expiresAt: Date.now() + graceMilliseconds } : "keep";
}

/** Whether something read from a storage is a mark. */
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

/** The mark that a record of an earlier version stands for, which kept its marks as records. */
export function toRenewedMark({ user, handle, replacedBy }: StoredRecord): SessionMark | undefined {
  if (replacedBy === undefined) return undefined;
  if (user === undefined || typeof replacedBy.id !== "string") return { mark: "ended" };
  return { mark: "renewed", to: replacedBy.id, at: replacedBy.at, handle, userId: user.id };
}

// --- Internal helpers ---

type Loose = Readonly<Record<string, unknown>>;

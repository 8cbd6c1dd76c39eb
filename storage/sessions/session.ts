import type { Snapshot } from "../documents/documents.ts";
import type { SessionDocument, SessionMark } from "./session-document.ts";
import type { SessionRecord } from "./session-record.ts";

/** The settings of a shop's sessions; durations are seconds. */
export interface SessionSettings {
  /** From the last use of a user's session. */
  readonly idleTimeout: number;
  /** From the login. */
  readonly absoluteTimeout: number;
  /** From the last use of a guest's session. */
  readonly guestIdleTimeout: number;
  /** From a guest's first write. */
  readonly guestAbsoluteTimeout: number | undefined;
  /** Age at which the ID of a user's session is renewed. */
  readonly renewAfter: number;
  /** How long an authentication counts as fresh. */
  readonly freshFor: number;
  readonly maxSessionsPerUser: number;
  /** For a login above that: `endOldest` ends the least recently used session; `refuse` rejects the login. */
  readonly sessionLimitPolicy: "endOldest" | "refuse";
}

/** A session as it was read. Dates are epoch milliseconds. */
export interface LoadedSession {
  readonly record: SessionRecord;
  readonly expiresAt: number;
  /** From then on, a call extends the session: a tenth of the idle timeout after the last extension. */
  readonly extendAt: number;
  /** From then on, a call renews the ID (OWASP Session Management, "Renewal Timeout"); `Infinity`: never. */
  readonly renewAt: number;
  readonly snapshot: Snapshot<SessionRecord>;
}

/** The content of a session ID's key as it was read: the session, or a mark. */
export type Found = LoadedSession | SessionMark;

/** A change of a record: a pure function, because it can run more than once. */
export type RecordChange = (record: SessionRecord) => SessionRecord;

/** A session ended, or got another ID, while a call worked on it. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
  override readonly message = "The session ended or moved in the meantime";
}

/** The session or the mark in a snapshot, if there is one. */
export function toFound(
  snapshot: Snapshot<SessionDocument>,
  settings: SessionSettings,
): Found | undefined {
  const { value, expiresAt = Infinity } = snapshot;
  if (value === undefined || value.mark !== undefined) return value;
  const { user, createdAt, lastSeenAt = createdAt, idIssuedAt = createdAt, firstUsedAt } = value;
  const { idleTimeout, guestIdleTimeout, renewAfter } = settings;
  // An ID that the client has not used yet isn't renewed: otherwise the chain to it would grow with each lost response.
  const isRenewable = user !== undefined && firstUsedAt !== 0;
  return {
    record: value,
    expiresAt,
    extendAt: lastSeenAt + (user === undefined ? guestIdleTimeout : idleTimeout) * 100,
    renewAt: isRenewable ? idIssuedAt + renewAfter * 1000 : Infinity,
    snapshot: snapshot as Snapshot<SessionRecord>,
  };
}

/** Whether only the mark of a session is left. */
export function isMark(found: Found): found is SessionMark {
  return "mark" in found;
}

/** When a session that is used at `now` ends, in epoch milliseconds. */
export function endOfSession(
  { user, createdAt }: SessionRecord,
  settings: SessionSettings,
  now: number,
): number {
  const { idleTimeout, absoluteTimeout, guestIdleTimeout, guestAbsoluteTimeout } = settings;
  const [idle, absolute = Infinity] =
    user === undefined ? [guestIdleTimeout, guestAbsoluteTimeout] : [idleTimeout, absoluteTimeout];
  return Math.min(now + idle * 1000, createdAt + absolute * 1000);
}

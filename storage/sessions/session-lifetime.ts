import type { SessionRecord } from "./session-record.ts";

/** The lifetime of sessions, in seconds. */
export interface SessionLifetime {
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
}

/** When a session that is used now ends, in epoch milliseconds. */
export function endOfSession(record: SessionRecord, lifetime: SessionLifetime): number {
  const { idle, absolute } = timeoutsOf(record, lifetime);
  return Math.min(Date.now() + idle * 1000, record.createdAt + absolute * 1000);
}

/** Whether a tenth of the idle timeout has passed since the last extension. */
export function isExtensionDue(record: SessionRecord, lifetime: SessionLifetime): boolean {
  const { createdAt, lastSeenAt = createdAt } = record;
  const { idle } = timeoutsOf(record, lifetime);
  return Date.now() - lastSeenAt >= (idle * 1000) / 10;
}

/**
 * Whether to renew the ID of a user's session (OWASP Session Management, "Renewal Timeout"). An ID that the client
 * has not used yet isn't renewed: otherwise the chain from an old ID to it would grow with each lost response.
 */
export function isRenewalDue(record: SessionRecord, { renewAfter }: SessionLifetime): boolean {
  const { createdAt, idIssuedAt = createdAt, firstUsedAt, user } = record;
  if (user === undefined || firstUsedAt === 0) return false;
  return Date.now() - idIssuedAt >= renewAfter * 1000;
}

/** Whether the user has authenticated recently (ASVS 5.0, 7.5.1). */
export function isFresh(record: SessionRecord, { freshFor }: SessionLifetime): boolean {
  const { createdAt, authenticatedAt = createdAt, user } = record;
  return user !== undefined && Date.now() - authenticatedAt < freshFor * 1000;
}

// --- Internal helpers ---

function timeoutsOf({ user }: SessionRecord, lifetime: SessionLifetime) {
  const { absoluteTimeout, guestAbsoluteTimeout = Infinity } = lifetime;
  return user === undefined
    ? { idle: lifetime.guestIdleTimeout, absolute: guestAbsoluteTimeout }
    : { idle: lifetime.idleTimeout, absolute: absoluteTimeout };
}

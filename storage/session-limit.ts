import type { UserIndex, UserSession } from "./user-index.ts";

/** How many sessions a user may have at a time, and what a login beyond that does. */
export interface SessionLimit {
  readonly maxSessionsPerUser: number;
  /** Ends the session that was used least lately, or refuses the login. */
  readonly sessionLimitPolicy: "endOldest" | "refuse";
}

/** The user has as many sessions as they may. */
export class SessionLimitError extends Error {
  override readonly name = "SessionLimitError";
}

/**
 * The sessions that must end for one more.
 * @param replaced the handle of the session that the new one takes the place of
 * @throws SessionLimitError if the login is to be refused instead
 */
export function findExcess(
  { sessions }: UserIndex,
  replaced: string | undefined,
  { maxSessionsPerUser, sessionLimitPolicy }: SessionLimit,
): readonly UserSession[] {
  const others = Object.entries(sessions).filter(([handle]) => handle !== replaced);
  const tooMany = others.length + 1 - maxSessionsPerUser;
  if (tooMany <= 0) return [];
  if (sessionLimitPolicy === "refuse")
    throw new SessionLimitError("The user has as many sessions as allowed");
  const oldestFirst = others.map(([, session]) => session);
  return oldestFirst.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).slice(0, tooMany);
}

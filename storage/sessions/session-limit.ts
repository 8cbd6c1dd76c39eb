import type { SessionSettings } from "./session.ts";
import type { UserIndex, UserSession } from "./user-index.ts";

/** The user has as many sessions as allowed. */
export class SessionLimitError extends Error {
  override readonly name = "SessionLimitError";
}

/**
 * The sessions that must end before a new one can begin.
 * @param replaced the handle of the session that the new one replaces
 * @throws SessionLimitError if the policy rejects the login instead
 */
export function findExcess(
  { sessions }: UserIndex,
  replaced: string | undefined,
  { maxSessionsPerUser, sessionLimitPolicy }: SessionSettings,
): readonly UserSession[] {
  const others = Object.entries(sessions).filter(([handle]) => handle !== replaced);
  const tooMany = others.length + 1 - maxSessionsPerUser;
  if (tooMany <= 0) return [];
  if (sessionLimitPolicy === "refuse")
    throw new SessionLimitError("The user has as many sessions as allowed");
  const oldestFirst = others.map(([, session]) => session);
  return oldestFirst.toSorted((a, b) => a.lastSeenAt - b.lastSeenAt).slice(0, tooMany);
}

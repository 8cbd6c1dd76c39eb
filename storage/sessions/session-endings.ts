import type { UserIndex, UserSession } from "./user-index.ts";

/** A session that ends. */
export interface EndingSession {
  readonly shopId: number;
  readonly handle: string;
}

/** Ends logins in other systems together with sessions. No function throws. */
export interface SessionEndings {
  /** Whether anything ends with a session. */
  readonly isNeeded: boolean;
  /** Notes sessions that are about to end, so that a sweep finds them if the process crashes after their end. */
  note(sessions: readonly EndingSession[]): Promise<void>;
  /** Ends the data of sessions that have ended, for example their grants. If that fails, it tries again. */
  finish(sessions: readonly EndingSession[]): Promise<void>;
}

/** The chosen sessions of a user. */
export function toEndingSessions(
  { sessions }: UserIndex,
  ends: (session: UserSession, handle: string) => boolean,
): readonly EndingSession[] {
  return Object.entries(sessions)
    .filter(([handle, session]) => ends(session, handle))
    .map(([handle, { shopId }]) => ({ shopId, handle }));
}

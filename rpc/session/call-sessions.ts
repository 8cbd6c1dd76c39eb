import type { Session } from "../../storage/sessions/session-records.ts";

/** The active sessions that a call came with. */
export interface CallSessions {
  readonly session: Session | undefined;
  /** Other sessions of the same client: a login and a logout end them too. */
  readonly others: readonly Session[];
  /** Whether the client sent the ID before this one, and may not know this one yet. */
  readonly isRenewed: boolean;
}

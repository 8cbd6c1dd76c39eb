import type { RevocationMark } from "../../storage/sessions/revocations.ts";
import { reportEnded } from "../../storage/sessions/session-reports.ts";
import type { UserSession } from "../../storage/sessions/user-index.ts";
import type { UserSessionIndex } from "../../storage/sessions/user-sessions.ts";

/** The log message if an end of all sessions may have missed one. */
export const incompleteEnd =
  "Some sessions of the user may stay active because their index was lost. They end within a tenth of the idle time; endAllSessions ends them now";

/**
 * Ends a user's sessions in the indexes of several storages.
 * @param since the mark that a login of the same call has compared with so far
 * @returns `isComplete: false` if the user's index was lost, so that sessions that it doesn't name can stay active;
 * `since`: the mark that a login of the same call compares with, for each storage
 */
export async function endSessions(
  indexes: Iterable<UserSessionIndex>,
  userId: string | number,
  isKept: (session: UserSession) => boolean,
  since?: RevocationMark,
) {
  const ends = await Promise.all(
    Array.from(indexes, async (users) => {
      const end = await users.endAll(userId, isKept, since);
      reportEnded(users.store, end.ended, "revoked");
      users.store.observer?.revoked();
      return { users, ...end };
    }),
  );
  return {
    ended: ends.flatMap(({ ended }) => ended),
    isComplete: ends.every(({ isComplete }) => isComplete),
    since: new Map(ends.map((end) => [end.users, end.since])),
  };
}

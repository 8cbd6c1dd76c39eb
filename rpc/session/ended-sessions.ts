import type { RevocationMark } from "../../storage/sessions/revocations.ts";
import type { UserSession } from "../../storage/sessions/user-index.ts";
import type { UserSessionIndex } from "../../storage/sessions/user-sessions.ts";

/** The result of ending all sessions of a user, in all storages of a realm. */
export interface EndedSessions {
  readonly ended: readonly UserSession[];
  /** `false`: the user's index was lost a while ago, so sessions that it doesn't name can stay active. */
  readonly isComplete: boolean;
  /** The mark that a login of the same call compares with, for each storage. */
  readonly since: ReadonlyMap<UserSessionIndex, RevocationMark>;
}

/** The log message if an end of all sessions may have missed one. */
export const incompleteEnd =
  "Some sessions of the user may stay active because their index was lost. They end within a tenth of the idle time; endAllSessions ends them now";

/**
 * Ends a user's sessions in several indexes.
 * @param since the mark that a login of the same call has compared with so far
 * @throws StorageUnavailableError
 */
export async function endSessions(
  indexes: Iterable<UserSessionIndex>,
  userId: string | number,
  isKept: (session: UserSession) => boolean,
  since?: RevocationMark,
): Promise<EndedSessions> {
  const ends = await Promise.all(
    Array.from(indexes, async (users) => {
      return { users, ...(await users.endAll(userId, isKept, since)) };
    }),
  );
  return {
    ended: ends.flatMap(({ ended }) => ended),
    isComplete: ends.every(({ isComplete }) => isComplete),
    since: new Map(ends.map((end) => [end.users, end.since])),
  };
}

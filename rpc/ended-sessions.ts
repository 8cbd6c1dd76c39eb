import type { RevocationMark } from "../storage/revocations.ts";
import type { UserSession } from "../storage/user-index.ts";
import type { UserSessions } from "../storage/user-sessions.ts";

/** What an end of all sessions of a user did, in all storages of a realm. */
export interface EndedSessions {
  readonly ended: readonly UserSession[];
  /** `false`: the user's index was lost a while ago, so sessions may go on that it does not name. */
  readonly isComplete: boolean;
  /** What a login of the same call goes by, in each storage. */
  readonly since: ReadonlyMap<UserSessions, RevocationMark>;
}

/** What the log says of an end that may have missed a session. */
export const incompleteEnd =
  "Some sessions of the user may stay active because their index was lost. They end within a tenth of the idle time; endAllSessions ends them now";

/**
 * Ends a user's sessions in several indexes.
 * @param since what a login of the same call went by so far
 * @throws StorageUnavailableError
 */
export async function endSessions(
  indexes: Iterable<UserSessions>,
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

import type { CallSession } from "./call-session.ts";
import { bindUser } from "./login.ts";
import { changeUser, isSameUser } from "./record-changes.ts";

/**
 * Writes all changes of the call, and extends the session or renews its ID if that is due. Usually, there is nothing to
 * write.
 * @throws StorageUnavailableError, SessionEndedError
 */
export function commit(session: CallSession): Promise<void> | undefined {
  return session.isCommitDue ? commitChanges(session) : undefined;
}

// --- Internal helpers ---

async function commitChanges(session: CallSession): Promise<void> {
  const known = session.storedUser;
  const user = session.takeUser();
  const isLogin = user !== undefined && !isSameUser(known, user);
  if (isLogin) await bindUser(session, user);
  const { usedTokens, lastChange } = session;
  if (usedTokens !== undefined) session.note(...(await usedTokens.toChanges()));
  if (user !== undefined && !isLogin) {
    session.note(changeUser(known, user));
    session.storedUser = user;
  }
  const isLastDue = session.current !== undefined || session.hasChanges;
  if (lastChange !== undefined && isLastDue) session.note(lastChange);
  await session.writeNoted();
  usedTokens?.reportLoss();
  await session.renewIfDue();
}

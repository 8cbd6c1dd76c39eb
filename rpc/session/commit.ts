import { describeError } from "../../shared/log.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { CallSession } from "./call-session.ts";
import { bindUser } from "./login.ts";
import { changeUser, isSameUser } from "./record-changes.ts";

/**
 * Writes all changes of the call, and extends the session or renews its ID if that is due.
 * @throws StorageUnavailableError, SessionEndedError
 */
export async function commit(session: CallSession): Promise<void> {
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
  await renewIfDue(session);
}

// --- Internal helpers ---

/** Renews the ID if that is due. The changes are stored already, so a failure doesn't fail the call. */
async function renewIfDue(session: CallSession): Promise<void> {
  const { current, services } = session;
  if (current === undefined || !services.sessions.isRenewalDue(current)) return;
  try {
    session.current = await session.maintainable.sessions.renew(current);
  } catch (error) {
    if (error instanceof SessionEndedError) {
      // Another call is giving the session its new ID, so this call sends the client none.
      session.extended = false;
      return;
    }
    session.call.log.warn("A session's ID was not renewed; a later call tries again", {
      error: describeError(error),
    });
  }
}

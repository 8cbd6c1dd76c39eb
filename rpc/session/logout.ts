import { describeError } from "../../shared/log.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import { idsOf, type UserSession } from "../../storage/sessions/user-index.ts";
import { RpcError } from "../error.ts";
import { closeGuestLists } from "../lists/shop-lists.ts";
import type { CallSession } from "./call-session.ts";
import { endSessions, incompleteEnd } from "./end-sessions.ts";
import { canHaveSessions } from "./record-changes.ts";
import type { ObtainTokensOptions, RenewTokens, SessionTokens } from "./token-renewals.ts";

/*
 * The ends of sessions that a call makes. If the call's own session is among them, the call continues without a
 * session. All functions throw StorageUnavailableError.
 */

/** Ends the client's sessions, and closes a guest's lists. */
export async function destroySession(session: CallSession): Promise<void> {
  const own = session.current === undefined ? [] : [session.current];
  // The call's own session comes last: if another one fails to end, the visitor can try again.
  const ended = await endEach(session, [...session.others, ...own]);
  session.clear();
  for (const record of ended) await finishEnd(session, record);
}

/** Ends the client's sessions because the commerce system has ended the login. @throws RpcError `session_ended`, always */
export async function endRejected(session: CallSession): Promise<never> {
  await destroySession(session);
  throw new RpcError("session_ended", {
    detail: "The commerce system has ended the login. Log in again.",
    executed: true,
  });
}

/**
 * See {@link RpcContext.obtainTokens}. If the tokens are rejected, the client's sessions end.
 * @throws RpcError `session_ended`; for a guest `not_logged_in`; and any error of `renew`
 */
export async function obtainTokens(
  session: CallSession,
  renew: RenewTokens,
  options?: ObtainTokensOptions,
): Promise<SessionTokens> {
  const tokens = await session.tokens.obtain(renew, options);
  if (tokens !== undefined) return tokens;
  if (!session.isLoggedIn) throw new RpcError("not_logged_in");
  return endRejected(session);
}

/**
 * Ends a user's sessions for a method of a call.
 * @param idsToKeep IDs of sessions that stay active
 * @returns `isComplete: false` if the user's index was lost, so that some sessions can stay active
 * @throws TypeError for an invalid ID, except for a string that is too long: it ends nothing
 */
export async function endUserSessions(
  session: CallSession,
  userId: string | number,
  idsToKeep: readonly string[] = [],
): Promise<{ readonly ended: number; readonly isComplete: boolean }> {
  if (!canHaveSessions(userId)) return { ended: 0, isComplete: true };
  // If a parallel call gives a session another ID right now, it is still the same session.
  const isKept = (one: UserSession) => idsOf(one).some((id) => idsToKeep.includes(id));
  const { realm, sessions } = session.writable;
  const mark = await session.lastRevocation;
  const { ended, isComplete, since } = await endSessions(realm.users, userId, isKept, mark);
  session.lastRevocation = since.get(sessions.users);
  await clearIfAmong(session, ended);
  if (isComplete) return { ended: ended.length, isComplete };
  session.call.log.warn(incompleteEnd, { userId });
  const isOwnEnded = await destroyUnnamed(session, userId, idsToKeep);
  return { ended: ended.length + (isOwnEnded ? 1 : 0), isComplete };
}

/** Continues without a session if the call's own one is among the ended ones. */
export async function clearIfAmong(
  session: CallSession,
  ended: readonly UserSession[],
): Promise<void> {
  const ids = new Set(ended.flatMap(idsOf));
  if (session.id === undefined || !ids.has(session.id)) return;
  session.others = session.others.filter(({ record }) => !ids.has(record.id));
  await clearAll(session);
}

// --- Internal helpers ---

/** Ends the call's own session if the user's index was lost and doesn't name it. */
async function destroyUnnamed(
  session: CallSession,
  userId: string | number,
  idsToKeep: readonly string[],
): Promise<boolean> {
  const { current } = session;
  if (current === undefined || String(current.record.user?.id) !== String(userId)) return false;
  if (idsToKeep.includes(current.record.id)) return false;
  await endEach(session, [current]);
  await clearAll(session);
  return true;
}

/** The call's own session has ended, so end the client's other sessions, too. */
async function clearAll(session: CallSession): Promise<void> {
  const { others } = session;
  session.clear();
  for (const record of await endEach(session, others)) await finishEnd(session, record);
}

async function endEach(
  session: CallSession,
  sessions: readonly LoadedSession[],
): Promise<SessionRecord[]> {
  const ended: SessionRecord[] = [];
  for (const one of sessions) ended.push(await session.maintainable.sessions.end(one));
  return ended;
}

/** The session has ended already, so a failure here doesn't fail the call. */
async function finishEnd(session: CallSession, record: SessionRecord): Promise<void> {
  const { call, services } = session;
  const { user } = record;
  if (user !== undefined) {
    return call.notify("storefront:afterLogout", () => ({ context: session.context, user }));
  }
  try {
    await closeGuestLists(services, record);
  } catch (error) {
    const message = "A guest's basket or wishlist stays stored after its session, until it expires";
    call.log.warn(message, { error: describeError(error) });
  }
}

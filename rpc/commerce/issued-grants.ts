import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { CallSession } from "../session/call-session.ts";
import { isSameUser } from "../session/record-changes.ts";
import type { Grant, LoginVisit } from "./visit.ts";

/**
 * Runs work of a login that can get a grant for the user whom it returns. If the call ends before a session has the
 * grant, it ends in the commerce system.
 * @param isForLogin whether the session that a login begins can have it. Otherwise, it only came with the check of a
 * password or token
 */
export async function withIssued<Result extends ShopUser | undefined>(
  session: CallSession,
  isForLogin: boolean,
  work: (setGrant: LoginVisit["setGrant"]) => Promise<Result>,
): Promise<Result> {
  let issued: IssuedGrant | undefined;
  const result = await work((grant) => {
    issued = noteIssued(session, grant, isForLogin);
  });
  if (issued !== undefined) issued.user = result;
  return result;
}

/** Takes the grant that the last login of this user got, for the session that begins. */
export function takeIssued(session: CallSession, user: ShopUser): Grant | undefined {
  const all = issuedBy.get(session) ?? new Set();
  const issued = [...all].findLast((one) => one.isForLogin && isSameUser(one.user, user));
  if (issued !== undefined) all.delete(issued);
  return issued?.grant;
}

// --- Internal helpers ---

/** A grant that the commerce system issued during a call, and that no session has yet. */
interface IssuedGrant {
  readonly grant: Grant;
  readonly isForLogin: boolean;
  /** The user whom the system has accepted; `undefined` until then. */
  user: ShopUser | undefined;
}

const issuedBy = new WeakMap<CallSession, Set<IssuedGrant>>();

function noteIssued(session: CallSession, grant: Grant, isForLogin: boolean): IssuedGrant {
  session.call.redactor.addSource(() => [grant]);
  const issued: IssuedGrant = { grant, isForLogin, user: undefined };
  const all = issuedBy.get(session) ?? new Set();
  issuedBy.set(session, all.add(issued));
  session.call.atEnd(() => {
    if (all.delete(issued)) endIssued(session, issued);
  });
  return issued;
}

function endIssued(session: CallSession, { grant, user }: IssuedGrant): void {
  const { grants } = session.services;
  if (grants === undefined) return;
  session.call.runAfterResponse("The end of an unused login at the commerce system", () =>
    grants.endUnused(grant, user),
  );
}

import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import { isSameUser } from "../session/record-changes.ts";
import type { Grant } from "./commerce-backend.ts";

/** A grant that the commerce system issued during a call, and that no session has yet. */
export interface IssuedGrant {
  readonly grant: Grant;
  /** Whether the session that a login begins can have it. Otherwise, it only came with the check of a password or token. */
  readonly isForLogin: boolean;
  /** The user whom the system has accepted; `undefined` until then. */
  user: ShopUser | undefined;
}

/** Notes a grant. If the call ends before a session has it, the grant ends in the commerce system. */
export function noteIssued(call: Call, grant: Grant, isForLogin: boolean): IssuedGrant {
  call.redactor.addSource(() => [grant]);
  const issued: IssuedGrant = { grant, isForLogin, user: undefined };
  const all = issuedBy.get(call) ?? new Set();
  issuedBy.set(call, all.add(issued));
  call.atEnd(() => {
    if (all.delete(issued)) endIssued(call, issued);
  });
  return issued;
}

/** Takes the grant that the last login of this user got, for the session that begins. */
export function takeIssued(call: Call, user: ShopUser): Grant | undefined {
  const all = issuedBy.get(call) ?? new Set();
  const issued = [...all].findLast((one) => one.isForLogin && isSameUser(one.user, user));
  if (issued !== undefined) all.delete(issued);
  return issued?.grant;
}

// --- Internal helpers ---

const issuedBy = new WeakMap<Call, Set<IssuedGrant>>();

function endIssued(call: Call, { grant, user }: IssuedGrant): void {
  const { grants } = call.services;
  if (grants === undefined) return;
  call.runAfterResponse("The end of an unused login at the commerce system", () =>
    grants.endUnused(grant, user),
  );
}

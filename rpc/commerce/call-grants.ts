import type { FoundGrant } from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { endRejected } from "../session/logout.ts";
import { createVisit } from "./visitor.ts";
import { hasOldKey, type Obtained, type ShopGrants, type GrantOwner } from "./shop-grants.ts";
import type { Grant } from "./visit.ts";

/*
 * The grant of a call's visitor. All functions throw StorageUnavailableError; RpcError `session_ended` if the commerce
 * system has ended the login; and any error of the backend, which ends nothing.
 */

/** The visitor's grant, renewed if it has expired. A guest without one gets none. */
export async function findGrant(session: CallSession): Promise<Grant | undefined> {
  const { services } = session;
  if (services.grants === undefined || session.current === undefined) return undefined;
  const found = await services.grants.read(session.current);
  const isLoggedIn = session.current.record.user !== undefined;
  if (!isLoggedIn && found.state !== "active") return undefined;
  return useOrChange(session, services.grants, found, undefined);
}

/**
 * The visitor's grant: begun if there is none, renewed if it has expired. Parallel calls on all servers get the same.
 * @param rejected a grant that the system has rejected before its time: it is renewed, unless another call has done
 * that
 * @returns `undefined` if the backend issues no grants to this visitor
 */
export async function obtainGrant(
  session: CallSession,
  rejected?: Grant,
): Promise<Grant | undefined> {
  const { services } = session;
  const { grants } = services;
  if (grants === undefined) return undefined;
  if (session.current !== undefined) {
    return useOrChange(session, grants, await grants.read(session.current), rejected);
  }
  // A read begins no session.
  if (grants.port.begin === undefined || session.isReadOnly) return undefined;
  // Before the grant begins: a grant without a session would be lost.
  await session.write((record) => record);
  return finish(session, grants.change(toOwner(session), rejected));
}

/** Begins another grant for this guest, after a login has used up the first one. */
export async function restartGrant(session: CallSession): Promise<void> {
  const { grants } = session.services;
  if (grants !== undefined) await finish(session, grants.restart(toOwner(session)));
}

/** Stores the grant that a login got, for the session that it began. Call it after `createUserBoundSession`. */
export async function putGrant(session: CallSession, grant: Grant): Promise<void> {
  hide(session, grant);
  await session.services.grants?.put(toOwner(session), grant);
}

// --- Internal helpers ---

async function useOrChange(
  session: CallSession,
  grants: ShopGrants,
  found: FoundGrant,
  rejected: Grant | undefined,
): Promise<Grant | undefined> {
  const usable = grants.toUsable(found, rejected);
  if (usable !== undefined && !hasOldKey(found)) return hide(session, usable);
  return finish(session, grants.change(toOwner(session), rejected));
}

async function finish(session: CallSession, change: Promise<Obtained>): Promise<Grant | undefined> {
  const obtained = await waitFor(change, session.call.signal);
  if (obtained === "ended") return endRejected(session);
  return obtained.grant && hide(session, obtained.grant);
}

function toOwner(session: CallSession): GrantOwner {
  const basketKey = session.lists.plannedKeyOf("basket");
  return {
    session: session.current as LoadedSession,
    basketKey,
    toVisit: (grant, signal) => {
      if (grant !== undefined) hide(session, grant);
      return createVisit(session, { grant, signal, toBasketKey: () => basketKey });
    },
  };
}

/** No log line and no error shows a grant. @returns the grant */
function hide(session: CallSession, grant: Grant): Grant {
  session.call.redactor.addSource(() => [grant]);
  return grant;
}

import type { FoundGrant } from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import type { Session } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { endRejected } from "../session/logout.ts";
import { createVisit } from "./create-visit.ts";
import { hasOldKey, type Obtained, type ShopGrants, type VisitingOwner } from "./shop-grants.ts";
import type { Grant } from "./visit.ts";

/*
 * The grant of a call's visitor. All functions throw StorageUnavailableError; RpcError `session_ended` if the commerce
 * system has ended the login; and any error of the backend, which ends nothing.
 */

/** The visitor's grant, renewed if it has expired. A guest without one gets none. */
export async function findGrant(call: Call): Promise<Grant | undefined> {
  const { services, session } = call;
  if (services.grants === undefined || session.current === undefined) return undefined;
  const found = await services.grants.read(session.current);
  const isLoggedIn = session.current.record.user !== undefined;
  if (!isLoggedIn && found.state !== "active") return undefined;
  return useOrChange(call, services.grants, found, undefined);
}

/**
 * The visitor's grant: begun if there is none, renewed if it has expired. Parallel calls on all servers get the same.
 * @param rejected a grant that the system has rejected before its time: it is renewed, unless another call has done
 * that
 * @returns `undefined` if the backend issues no grants to this visitor
 */
export async function obtainGrant(call: Call, rejected?: Grant): Promise<Grant | undefined> {
  const { services, session } = call;
  const { grants } = services;
  if (grants === undefined) return undefined;
  if (session.current !== undefined) {
    return useOrChange(call, grants, await grants.read(session.current), rejected);
  }
  // A read begins no session.
  if (grants.port.begin === undefined || session.isReadOnly) return undefined;
  // Before the grant begins: a grant without a session would be lost.
  await session.work.write((record) => record);
  return finish(call, grants.change(toOwner(call), rejected));
}

/** Begins another grant for this guest, in place of one that a login has used up. */
export async function restartGrant(call: Call): Promise<void> {
  const { grants } = call.services;
  if (grants !== undefined) await finish(call, grants.restart(toOwner(call)));
}

/** Stores the grant that a login got, for the session that it began. Call it after `createUserBoundSession`. */
export async function putGrant(call: Call, grant: Grant): Promise<void> {
  hide(call, grant);
  await call.services.grants?.put(toOwner(call), grant);
}

// --- Internal helpers ---

async function useOrChange(
  call: Call,
  grants: ShopGrants,
  found: FoundGrant,
  rejected: Grant | undefined,
): Promise<Grant | undefined> {
  const usable = grants.toUsable(found, rejected);
  if (usable !== undefined && !hasOldKey(found)) return hide(call, usable);
  return finish(call, grants.change(toOwner(call), rejected));
}

async function finish(call: Call, change: Promise<Obtained>): Promise<Grant | undefined> {
  const obtained = await waitFor(change, call.signal);
  if (obtained === "ended") return endRejected(call.session);
  return obtained.grant && hide(call, obtained.grant);
}

function toOwner(call: Call): VisitingOwner {
  const session = call.session.current as Session;
  const basketKey = call.session.lists.plannedKeyOf("basket");
  return {
    session,
    basketKey,
    toVisit: (grant, signal) => {
      if (grant !== undefined) hide(call, grant);
      return createVisit(call, { grant, signal, toBasketKey: () => basketKey });
    },
  };
}

/** No log line and no error shows a grant. @returns the grant */
function hide(call: Call, grant: Grant): Grant {
  call.redactor.addSource(() => [grant]);
  return grant;
}

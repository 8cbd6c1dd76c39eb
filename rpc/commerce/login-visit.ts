import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import type { Session } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { withBasketLease, type BasketLease } from "./basket-lease.ts";
import { joined } from "./basket-log.ts";
import { findHeldLease } from "./call-basket.ts";
import { findGrant } from "./call-grants.ts";
import { finishOpenChange } from "./change-basket.ts";
import { createVisit } from "./create-visit.ts";
import { withGrant } from "./granted-visit.ts";
import { asGuest } from "./guest-visits.ts";
import { takeIssued, withIssued } from "./issued-grants.ts";
import { reached } from "./test-hooks.ts";
import type { LoginVisit } from "./visit.ts";

/**
 * Runs a login or a registration. Its visit has the guest's grant, and it can set the user's grant, which
 * {@link storeLoginGrant} stores for the new session.
 *
 * If the system joins baskets at a login, logins with one guest's grant run one at a time, and only the first successful
 * one sends the grant: a second one would log out the first, or join the lines twice.
 * @returns the result of `run`; `undefined` if the login was rejected
 */
export async function withLoginVisit<Result extends ShopUser | undefined>(
  call: Call,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  const { commerce } = call.services;
  if (commerce?.accounts === undefined) return run(createVisit(call));
  return withIssued(call, true, (setGrant) => runLogin(call, setGrant, run));
}

/** Stores the grant that a login of this call has got for this user, before the session can be used. */
export async function storeLoginGrant(call: Call, session: Session): Promise<void> {
  const { user } = session.record;
  const grant = user && takeIssued(call, user);
  if (grant === undefined || user === undefined) return;
  const basketKey = userOwnerKey(call.services.shop.shopId, user.id);
  await call.services.grants?.put({ session, basketKey }, grant);
}

/**
 * Runs a check that can log in at the commerce system, for example of a password. The system doesn't see the grant of
 * the session, or it could replace that grant. The session doesn't get the grant of the check, which ends.
 */
export function withCheckVisit<Result extends ShopUser | undefined>(
  call: Call,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  return withIssued(call, false, (setGrant) => run(createVisit(call, { setGrant })));
}

/**
 * Runs a change of an account, which can replace the grant of the session. If the system rejects the grant, it is
 * renewed, as for a method of the commerce system.
 */
export async function withChangeVisit<Result>(
  call: Call,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  if (call.services.commerce?.accounts === undefined) return run(createVisit(call));
  return withGrant(call, await findGrant(call), run, { isRepeatable: false });
}

// --- Internal helpers ---

async function runLogin<Result>(
  call: Call,
  setGrant: LoginVisit["setGrant"],
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  const { session } = call;
  if (session.isLoggedIn || session.current === undefined) {
    return run(createVisit(call, { user: undefined, setGrant }));
  }
  const { baskets } = call.services.commerce ?? {};
  const options = { isRepeatable: false, setGrant };
  if (!baskets?.joinsAtLogin) {
    return withGrant(call, await findGrant(call), run, options);
  }
  const key = session.lists.plannedKeyOf("basket");
  const toBasketKey = () => key;
  const runUnder = async (lease: BasketLease) => {
    const isJoined = lease.log.movedTo !== undefined;
    const grant = isJoined ? undefined : await findGrant(call);
    const fields = { toBasketKey, fetch: lease.fetch };
    if (grant !== undefined) {
      const reading = createVisit(call, { grant, toBasketKey });
      const changing = createVisit(call, { grant, ...fields });
      await asGuest(call, () => finishOpenChange(baskets, { lease, reading, changing }));
    }
    const work = async (visit: LoginVisit) => {
      const result = await run(visit);
      await reached("login: accepted");
      const isUsed = result !== undefined && visit.grant !== undefined;
      if (isUsed) lease.leave({ ...lease.log, movedTo: joined });
      return result;
    };
    return withGrant(call, grant, work, { ...options, ...fields });
  };
  const held = findHeldLease(call);
  return held === undefined ? withBasketLease(call, key, runUnder) : runUnder(held);
}

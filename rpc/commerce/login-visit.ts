import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { withBasketLease, type BasketLease } from "./basket-lease.ts";
import { joined } from "./basket-log.ts";
import { findHeldLease } from "./call-basket.ts";
import { findGrant } from "./call-grants.ts";
import { finishOpenChange } from "./change-basket.ts";
import { createVisit } from "./visitor.ts";
import { withGrant } from "./granted-visit.ts";
import { asGuest } from "./guest-visits.ts";
import { takeIssued, withIssued } from "./issued-grants.ts";
import { reached } from "./test-hooks.ts";
import type { LoginVisit } from "./visit.ts";

/**
 * Runs a login or a registration, with the guest's grant in its visit. If the system joins baskets, logins with one
 * guest's grant run one at a time, and only the first successful one sends it: a second one would join the lines twice.
 * @returns the result of `run`; `undefined` if the login was rejected
 */
export async function withLoginVisit<Result extends ShopUser | undefined>(
  session: CallSession,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  const { commerce } = session.services;
  if (commerce?.accounts === undefined) return run(createVisit(session));
  return withIssued(session, true, (setGrant) => runLogin(session, setGrant, run));
}

/** Stores the grant that a login of this call has got for this user, before the session can be used. */
export async function storeLoginGrant(session: CallSession, begun: LoadedSession): Promise<void> {
  const { user } = begun.record;
  const grant = user && takeIssued(session, user);
  if (grant === undefined || user === undefined) return;
  const basketKey = userOwnerKey(session.services.shop.shopId, user.id);
  await session.services.grants?.put({ session: begun, basketKey }, grant);
}

/**
 * Runs a check that can log in at the commerce system, for example of a password. The system doesn't see the grant of
 * the session, or it could replace that grant. The session doesn't get the grant of the check, which ends.
 */
export function withCheckVisit<Result extends ShopUser | undefined>(
  session: CallSession,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  return withIssued(session, false, (setGrant) => run(createVisit(session, { setGrant })));
}

/**
 * Runs a change of an account, which can replace the grant of the session. If the system rejects the grant, it is
 * renewed, as for a method of the commerce system.
 */
export async function withChangeVisit<Result>(
  session: CallSession,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  if (session.services.commerce?.accounts === undefined) return run(createVisit(session));
  return withGrant(session, await findGrant(session), run, { isRepeatable: false });
}

// --- Internal helpers ---

async function runLogin<Result>(
  session: CallSession,
  setGrant: LoginVisit["setGrant"],
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  if (session.isLoggedIn || session.current === undefined) {
    return run(createVisit(session, { user: undefined, setGrant }));
  }
  const { baskets } = session.services.commerce ?? {};
  const options = { isRepeatable: false, setGrant };
  if (!baskets?.joinsAtLogin) {
    return withGrant(session, await findGrant(session), run, options);
  }
  const key = session.lists.plannedKeyOf("basket");
  const toBasketKey = () => key;
  const runUnder = async (lease: BasketLease) => {
    const isJoined = lease.log.movedTo !== undefined;
    const grant = isJoined ? undefined : await findGrant(session);
    const fields = { toBasketKey, fetch: lease.fetch };
    if (grant !== undefined) {
      const reading = createVisit(session, { grant, toBasketKey });
      const changing = createVisit(session, { grant, ...fields });
      await asGuest(session, () => finishOpenChange(baskets, { lease, reading, changing }));
    }
    const work = async (visit: LoginVisit) => {
      const result = await run(visit);
      await reached("login: accepted");
      const isUsed = result !== undefined && visit.grant !== undefined;
      if (isUsed) lease.leave({ ...lease.log, movedTo: joined });
      return result;
    };
    return withGrant(session, grant, work, { ...options, ...fields });
  };
  const held = findHeldLease(session);
  return held === undefined ? withBasketLease(session, key, runUnder) : runUnder(held);
}

import { userOwnerKey } from "../lists/transfer.ts";
import type { Session } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { withBasketLease } from "./basket-lease.ts";
import { CallGrants } from "./call-grants.ts";
import { finishOpenChange } from "./change-basket.ts";
import type { Grant } from "./commerce-backend.ts";
import { createVisit } from "./create-visit.ts";
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
export async function withLoginVisit<Result>(
  call: Call,
  run: (visit: LoginVisit) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  const { commerce } = call.services;
  if (commerce?.accounts === undefined) return run(createVisit(call));
  loginGrants.delete(call);
  const setGrant = (grant: Grant) => {
    call.redactor.addSource(() => [grant]);
    loginGrants.set(call, grant);
  };
  const { session } = call;
  if (session.isLoggedIn || session.current === undefined) {
    return run(createVisit(call, { user: undefined, setGrant }));
  }
  const { baskets } = commerce;
  if (!baskets?.joinsAtLogin) {
    return run(createVisit(call, { grant: await new CallGrants(call).find(), setGrant }));
  }
  const key = session.lists.nameOf("basket");
  const toBasketKey = () => key;
  return withBasketLease(call, key, async (lease) => {
    const isJoined = lease.log.movedTo !== undefined;
    const grant = isJoined ? undefined : await new CallGrants(call).find();
    const changing = createVisit(call, { grant, setGrant, toBasketKey, fetch: lease.fetch });
    if (grant !== undefined) {
      const reading = createVisit(call, { grant, toBasketKey });
      await finishOpenChange(baskets, lease, { reading, changing });
    }
    const result = await run(changing);
    await reached("login: accepted");
    if (result !== undefined && grant !== undefined) lease.leave({ ...lease.log, movedTo: joined });
    return result;
  });
}

/** In place of the key of the user's basket, if the system has joined a guest's basket. */
export const joined = "";

/** Stores the grant that the login of this call has set, before its session can be used. */
export async function storeLoginGrant(call: Call, session: Session): Promise<void> {
  const grant = loginGrants.get(call);
  const { user } = session.record;
  if (grant === undefined || user === undefined) return;
  loginGrants.delete(call);
  const basketKey = userOwnerKey(call.services.shop.shopId, user.id);
  const toVisit = () => createVisit(call, { user, grant, toBasketKey: () => basketKey });
  await call.services.grants?.put({ session, basketKey, toVisit }, grant);
}

/** Runs a change of a visitor's password, which can replace the grant of the session. */
export async function withChangeVisit<Result>(
  call: Call,
  run: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  if (call.services.commerce?.accounts === undefined) return run(createVisit(call));
  let issued: Grant | undefined;
  const setGrant = (next: Grant) => {
    issued = next;
  };
  const grants = new CallGrants(call);
  const result = await run(createVisit(call, { grant: await grants.find(), setGrant }));
  if (issued !== undefined) await grants.put(issued);
  return result;
}

// --- Internal helpers ---

/** The grants that logins have set, until their sessions begin. */
const loginGrants = new WeakMap<Call, Grant>();

import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { Call } from "../call.ts";
import type { BasketLease } from "./basket-lease.ts";
import { restart } from "./basket-log.ts";
import { restartGrant } from "./call-grants.ts";
import type { LeasedBasket } from "./change-basket.ts";
import type { Grant } from "./visit.ts";
import { createVisit } from "./create-visit.ts";
import { isRejectedGrant } from "./granted-visit.ts";

/** Reads the grant of a guest whose list a login moves. It outlives the guest's session for that. */
export async function readGuestGrant(
  { services, redactor }: Call,
  { key, handle = key }: PendingMerge,
): Promise<Grant | undefined> {
  const found = await services.grants?.documents.read(handle);
  if (found?.state !== "active") return undefined;
  const grant = found.grant as Grant;
  redactor.addSource(() => [grant]);
  return grant;
}

/**
 * Runs work with that grant. If the system rejects the grant, that says nothing about the user's.
 * @returns `undefined` if the system rejects the grant: then the guest's list can't be moved any more
 */
export async function asGuest<Result>(
  { log }: Call,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isRejectedGrant(error)) throw error;
    log.warn("The commerce system had ended a guest's grant before the guest's list was moved");
    return undefined;
  }
}

/**
 * Begins another basket for a guest whose basket the system has joined at a login, if that login began no session: for
 * example because the user has too many.
 * @throws SessionEndedError if a login has replaced the guest's session
 */
export async function restartGuest(call: Call, lease: BasketLease): Promise<void> {
  // This write changes nothing. It fails after a login; before a login, the merge finds the new basket.
  await call.session.work.write((record) => ({ ...record }));
  await restartGrant(call);
  await lease.save(restart(lease.log));
}

/** The basket, or the wishlist, of that guest. */
export function openGuestBasket(
  call: Call,
  { key }: PendingMerge,
  grant: Grant | undefined,
  lease: BasketLease,
): LeasedBasket {
  const fields = { user: undefined, grant, toBasketKey: () => key };
  return {
    lease,
    reading: createVisit(call, fields),
    changing: createVisit(call, { ...fields, fetch: lease.fetch }),
  };
}

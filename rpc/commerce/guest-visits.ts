import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { CallSession } from "../session/call-session.ts";
import type { BasketLease } from "./basket-lease.ts";
import { restart } from "./basket-log.ts";
import { restartGrant } from "./call-grants.ts";
import type { LeasedBasket } from "./change-basket.ts";
import type { Grant } from "./visit.ts";
import { createVisit } from "./visitor.ts";
import { isRejectedGrant } from "./granted-visit.ts";

/** Reads the grant of a guest whose list a login moves. It outlives the guest's session for that. */
export async function readGuestGrant(
  session: CallSession,
  { key, handle = key }: PendingMerge,
): Promise<Grant | undefined> {
  const found = await session.services.grants?.documents.read(handle);
  if (found?.state !== "active") return undefined;
  const grant = found.grant as Grant;
  session.call.redactor.addSource(() => [grant]);
  return grant;
}

/**
 * Runs work with that grant. If the system rejects the grant, that says nothing about the user's.
 * @returns `undefined` if the system rejects the grant: then the guest's list can't be moved any more
 */
export async function asGuest<Result>(
  session: CallSession,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isRejectedGrant(error)) throw error;
    session.call.log.warn(
      "The commerce system had ended a guest's grant before the guest's list was moved",
    );
    return undefined;
  }
}

/**
 * Begins another basket for a guest whose basket the system has joined at a login, if that login began no session: for
 * example because the user has too many.
 * @throws SessionEndedError if a login has replaced the guest's session
 */
export async function restartGuest(session: CallSession, lease: BasketLease): Promise<void> {
  // This write changes nothing. It fails after a login; before a login, the merge finds the new basket.
  await session.write((record) => ({ ...record }));
  await restartGrant(session);
  await lease.save(restart(lease.log));
}

/** The basket, or the wishlist, of that guest. */
export function openGuestBasket(
  session: CallSession,
  { key }: PendingMerge,
  grant: Grant | undefined,
  lease: BasketLease,
): LeasedBasket {
  const fields = { user: undefined, grant, toBasketKey: () => key };
  return {
    lease,
    reading: createVisit(session, fields),
    changing: createVisit(session, { ...fields, fetch: lease.fetch }),
  };
}

import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { Call } from "../call.ts";
import type { BasketLease } from "./basket-lease.ts";
import type { BasketVisits } from "./change-basket.ts";
import type { Grant } from "./commerce-backend.ts";
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

/** The visits of that guest. */
export function createGuestVisits(
  call: Call,
  { key }: PendingMerge,
  grant: Grant | undefined,
  lease: BasketLease,
): BasketVisits {
  const fields = { user: undefined, grant, toBasketKey: () => key };
  return {
    reading: createVisit(call, fields),
    changing: createVisit(call, { ...fields, fetch: lease.fetch }),
  };
}

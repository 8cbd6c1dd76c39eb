import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { Call } from "../call.ts";
import type { BasketLease } from "./basket-lease.ts";
import type { BasketVisits } from "./change-basket.ts";
import type { Grant } from "./commerce-backend.ts";
import { createVisit } from "./create-visit.ts";

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

import { withDetails, type Logger } from "../../shared/log.ts";
import type { DueEntry } from "../../storage/grants/due-list.ts";
import type { FoundGrant, GrantLease, SessionGrant } from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import { entryOf, type UserSession } from "../../storage/sessions/user-index.ts";
import { Redactor } from "../redaction/redactor.ts";
import type { ShopServices } from "../shop-services.ts";
import { pause, type Settled } from "./grant-endings.ts";
import type { Grant, GrantedVisit } from "./visit.ts";
import { toVisit } from "./visitor.ts";

/**
 * Ends the grant of a session in the commerce system of its shop, if the session has ended.
 * @param entry see `GrantEndings.settle`
 * @param closing aborts the attempt
 * @throws StorageUnavailableError, LeaseLostError, and any error of the commerce system
 */
export async function settleGrant(
  shop: ShopServices,
  log: Logger,
  { handle, isEnding }: Omit<DueEntry, "second">,
  closing: AbortSignal,
): Promise<Settled> {
  const documents = shop.grants?.documents;
  if (documents === undefined) return "done";
  const { found, isHeld, endsAt } = await documents.peek(handle);
  const neededUntil = isEnding ? 0 : endsAt;
  const settle = (grant: FoundGrant) => settleWithoutEnd(shop, handle, neededUntil, grant);
  const early = isHeld ? undefined : await settle(found);
  if (early !== undefined) return early;
  const signal = AbortSignal.any([closing, shop.clock.timeout(maxWait)]);
  return documents.withLease(handle, signal, async (lease) => {
    const settled = await settle(lease.found);
    if (settled !== undefined || lease.found.state !== "active") return settled ?? "done";
    await endGrant(shop, log, lease, lease.found, closing);
    return "done";
  });
}

// --- Internal helpers ---

/** Milliseconds that an attempt waits for calls that are changing the grant: longer than the lease of one that crashed. */
const maxWait = 12_000;

/**
 * @param neededUntil after a login, a merge may need the grant until then (epoch milliseconds)
 * @returns `undefined` if the grant has to end now
 */
async function settleWithoutEnd(
  shop: ShopServices,
  handle: string,
  neededUntil: number,
  found: FoundGrant,
): Promise<Settled | undefined> {
  if (found.state === "unreadable") return { activeUntil: shop.clock.now() + pause };
  if (found.state !== "active") return "done";
  const activeUntil = await findEnd(shop, handle, neededUntil, found);
  return activeUntil === undefined ? undefined : { activeUntil };
}

async function endGrant(
  shop: ShopServices,
  log: Logger,
  lease: GrantLease,
  found: SessionGrant,
  closing: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([await lease.prove(), closing]);
  const grant = found.grant as Grant;
  const redactor = new Redactor(() => [grant]);
  const visit = toVisit(shop, {
    user: found.user,
    grant,
    toBasketKey: () => found.basketKey,
    log: redactor.guard(withDetails(log, { shopId: shop.shop.shopId })),
    ip: undefined,
    signal,
  });
  const ending = shop.commerce?.grants?.end?.(visit as GrantedVisit);
  try {
    if (ending !== undefined) await waitFor(ending, signal);
  } catch (error) {
    throw redactor.redact(error);
  }
  lease.end();
}

/**
 * When the grant's session expires, or the last session on which its end has to wait. If a login has replaced a guest's
 * session, a merge may still need the grant, until the session would have expired.
 * @returns epoch milliseconds; `undefined` if the grant has to end now
 */
async function findEnd(
  shop: ShopServices,
  handle: string,
  neededUntil: number,
  { user, guestId }: SessionGrant,
): Promise<number | undefined> {
  const { realm, sessions, clock } = shop;
  if (user === undefined) {
    const found = await sessions.lookUp(guestId ?? "");
    if (found.state === "active") return found.session.expiresAt;
    // A moment after a login, the state is `retired`; later, it is `absent`, as that of an expired session.
    const isOver = found.state === "ended" || neededUntil <= clock.now();
    return isOver ? undefined : neededUntil;
  }
  const indexes = await Promise.all(realm.users.map((users) => users.read(user.id)));
  const own = indexes.map((index) => entryOf(index, handle)?.expiresAt).find(Boolean);
  if (own !== undefined || !shop.commerce?.grants?.endsAll) return own;
  const others = indexes
    .flatMap((index) => Object.values(index.sessions))
    .filter((one) => isOfSameSystem(shop, one));
  return others.length === 0 ? undefined : Math.max(...others.map((one) => one.expiresAt));
}

function isOfSameSystem({ realm, commerce }: ShopServices, { shopId }: UserSession): boolean {
  return realm.shops.get(shopId)?.commerce?.name === commerce?.name;
}

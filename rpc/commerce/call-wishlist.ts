import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import type { MergeReport } from "../lists/transfer.ts";
import type { WishlistOptions } from "../shop.ts";
import { withBasketLease } from "./basket-lease.ts";
import { runRead, toLeaseKey, withBasket } from "./call-basket.ts";
import type { CommerceWishlist, Wishlists, WishTarget } from "./commerce-backend.ts";
import type { Grant } from "./visit.ts";
import { asGuest, openGuestBasket, readGuestGrant } from "./guest-visits.ts";
import { planWishClear, planWishMerge } from "./wishlist-plan.ts";

/*
 * A wish is there or isn't, so each change can be repeated as it is: nothing has to be stored before it is sent. In the
 * visits of these functions, `basketKey` is the key of the wishlist.
 */

/** Reads the visitor's wishlist in the commerce system. */
export async function readCommerceWishlist(
  call: Call,
): Promise<{ readonly wishlist: CommerceWishlist }> {
  return { wishlist: await runRead(call, (visit) => wishlistsOf(call).read(visit), "wishlist") };
}

/**
 * Changes the visitor's wishlist in the commerce system.
 * @param plan computes which wishes the wishlist must have; it can run several times
 * @throws any error of `plan` and of the system
 */
export function changeCommerceWishlist(
  call: Call,
  plan: (seen: CommerceWishlist, options: WishlistOptions) => readonly WishTarget[],
): Promise<{ readonly wishlist: CommerceWishlist }> {
  const wishlists = wishlistsOf(call);
  return withBasket(call, onWishlist, async ({ lease, reading, changing }) => {
    if (lease.log.movedTo !== undefined) throw new SessionEndedError();
    const seen = await wishlists.read(reading);
    const targets = plan(seen, call.services.wishlistOptions);
    if (targets.length === 0) return { wishlist: seen };
    return { wishlist: await wishlists.set({ targets, seen }, changing) };
  });
}

/**
 * Moves a guest's wishes to the user of the call, or continues an earlier attempt.
 * @returns the wishes that are left out
 * @throws any error of the system; the move stays pending
 */
export async function moveWishlist(call: Call, merge: PendingMerge): Promise<MergeReport["lines"]> {
  const wishlists = wishlistsOf(call);
  if (wishlists.joinsAtLogin) return [];
  return withBasket(call, onWishlist, async ({ reading, changing }) => {
    const grant = await readGuestGrant(call, merge);
    return withBasketLease(call, toLeaseKey("wishlist", merge.key), async (lease) => {
      const userKey = userOwnerKey(merge.shopId, call.session.user?.id ?? "");
      const { movedTo = userKey } = lease.log;
      if (movedTo !== userKey) return [];
      await lease.save({ ...lease.log, movedTo }, merge.expiresAt);
      const guest = openGuestBasket(call, merge, grant, lease);
      const left = await asGuest(call, () => wishlists.read(guest.reading));
      if (left === undefined || left.items.length === 0) return [];
      const seen = await wishlists.read(reading);
      const { targets, lines } = planWishMerge(seen, left, call.services.wishlistOptions);
      if (targets.length > 0) await wishlists.set({ targets, seen }, changing);
      const removed = { targets: planWishClear(left), seen: left };
      await asGuest(call, () => wishlists.set(removed, guest.changing));
      return lines;
    });
  });
}

// --- Internal helpers ---

const onWishlist = { isRepeatable: true, kind: "wishlist" } as const;

/** @throws Error if the shop's wishlists are not in a commerce system */
function wishlistsOf({ services }: Call): Wishlists<Grant, CommerceWishlist> {
  const wishlists = services.commerce?.wishlists;
  if (wishlists !== undefined) return wishlists;
  throw new Error(`The wishlists of the shop ${services.shop.shopId} aren't in a commerce system`);
}

import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import type { MergeReport } from "../lists/transfer.ts";
import type { WishlistOptions } from "../lists/wishlist.ts";
import { withBasketLease } from "./basket-lease.ts";
import { runRead, toLeaseKey, withBasket } from "./call-basket.ts";
import type { CommerceWishlist, Wishlists, WishTarget } from "./commerce-backend.ts";
import type { Grant } from "./visit.ts";
import { asGuest, openGuestBasket, readGuestGrant } from "./guest-visits.ts";
import { planWishClear, planWishMerge } from "./wishlist-plan.ts";

/*
 * The list has an item or not, so each change can be repeated: nothing has to be stored before it is sent. In the
 * visits of these functions, `basketKey` is the key of the wishlist.
 */

/** Reads the visitor's wishlist in the commerce system. */
export async function readCommerceWishlist(
  session: CallSession,
): Promise<{ readonly wishlist: CommerceWishlist }> {
  return {
    wishlist: await runRead(session, (visit) => wishlistsOf(session).read(visit), "wishlist"),
  };
}

/**
 * Changes the visitor's wishlist in the commerce system.
 * @param plan computes the items that the wishlist must have; it can run several times
 * @throws any error of `plan` and of the system
 */
export function changeCommerceWishlist(
  session: CallSession,
  plan: (seen: CommerceWishlist, options: WishlistOptions) => readonly WishTarget[],
): Promise<{ readonly wishlist: CommerceWishlist }> {
  const wishlists = wishlistsOf(session);
  return withBasket(session, onWishlist, async ({ lease, reading, changing }) => {
    if (lease.log.movedTo !== undefined) throw new SessionEndedError();
    const seen = await wishlists.read(reading);
    const targets = plan(seen, session.services.wishlistOptions);
    if (targets.length === 0) return { wishlist: seen };
    return { wishlist: await wishlists.set({ targets, seen }, changing) };
  });
}

/**
 * Moves a guest's items to the user of the call, or continues an earlier attempt.
 * @returns the items that are left out
 * @throws any error of the system; the move stays pending
 */
export async function moveWishlist(
  session: CallSession,
  merge: PendingMerge,
): Promise<MergeReport["lines"]> {
  const wishlists = wishlistsOf(session);
  if (wishlists.joinsAtLogin) return [];
  return withBasket(session, onWishlist, async ({ reading, changing }) => {
    const grant = await readGuestGrant(session, merge);
    return withBasketLease(session, toLeaseKey("wishlist", merge.key), async (lease) => {
      const userKey = userOwnerKey(merge.shopId, session.user?.id ?? "");
      const { movedTo = userKey } = lease.log;
      if (movedTo !== userKey) return [];
      await lease.save({ ...lease.log, movedTo }, merge.expiresAt);
      const guest = openGuestBasket(session, merge, grant, lease);
      const left = await asGuest(session, () => wishlists.read(guest.reading));
      if (left === undefined || left.items.length === 0) return [];
      const seen = await wishlists.read(reading);
      const { targets, lines } = planWishMerge(seen, left, session.services.wishlistOptions);
      if (targets.length > 0) await wishlists.set({ targets, seen }, changing);
      const removed = { targets: planWishClear(left), seen: left };
      await asGuest(session, () => wishlists.set(removed, guest.changing));
      return lines;
    });
  });
}

// --- Internal helpers ---

const onWishlist = { isRepeatable: true, kind: "wishlist" } as const;

/** @throws Error if the shop's wishlists are not in a commerce system */
function wishlistsOf({ services }: CallSession): Wishlists<Grant, CommerceWishlist> {
  const wishlists = services.commerce?.wishlists;
  if (wishlists !== undefined) return wishlists;
  throw new Error(`The wishlists of the shop ${services.shop.shopId} aren't in a commerce system`);
}

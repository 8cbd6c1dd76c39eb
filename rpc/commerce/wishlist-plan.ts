import { tooManyItems, unknownItem } from "../lists/list-errors.ts";
import type { MergeReport } from "../lists/transfer.ts";
import type { Wish, WishlistOptions } from "../lists/wishlist.ts";
import type { CommerceWish, CommerceWishlist, WishTarget } from "./commerce-backend.ts";

/* Pure rules: the wishes that a wishlist must have after a change. */

/** @throws RpcError `limit_reached` */
export function planWish(
  { items }: CommerceWishlist,
  wish: Omit<CommerceWish, "key">,
  { maxItems }: WishlistOptions,
): readonly WishTarget[] {
  const identity = identifyWish(wish);
  if (items.some((item) => identifyWish(item) === identity)) return [];
  if (items.length >= maxItems) {
    throw tooManyItems("wishlist", maxItems);
  }
  return [{ ...wish, isWanted: true }];
}

/** @throws RpcError `unknown_item` */
export function planWishRemoval(
  { items }: CommerceWishlist,
  itemKey: string,
): readonly WishTarget[] {
  const item = items.find(({ key }) => key === itemKey);
  if (item !== undefined) return [toTarget(item, false)];
  throw unknownItem("wishlist");
}

export function planWishClear({ items }: CommerceWishlist): readonly WishTarget[] {
  return items.map((item) => toTarget(item, false));
}

/** Plans the merge of a guest's wishlist: up to twice `maxItems`. */
export function planWishMerge(
  user: CommerceWishlist,
  guest: CommerceWishlist,
  { maxItems }: WishlistOptions,
): { readonly targets: readonly WishTarget[]; readonly lines: MergeReport["lines"] } {
  const known = new Set(user.items.map(identifyWish));
  const missing = guest.items.filter((item) => !known.has(identifyWish(item)));
  const room = Math.max(0, 2 * maxItems - user.items.length);
  return {
    targets: missing.slice(0, room).map((item) => toTarget(item, true)),
    lines: missing.slice(room).map(({ variantId, productId }) => {
      const wish = (variantId === undefined ? { productId } : { variantId }) as Wish;
      return { ...wish, list: "wishlist", outcome: "left_out" };
    }),
  };
}

// --- Internal helpers ---

function toTarget({ variantId, productId }: CommerceWish, isWanted: boolean): WishTarget {
  return variantId === undefined ? { productId, isWanted } : { variantId, isWanted };
}

/** A system can return an ID as a string, although the client has sent a number. */
function identifyWish({ variantId, productId }: Omit<CommerceWish, "key">): string {
  return variantId === undefined ? `product:${productId}` : `variant:${variantId}`;
}

import type { ProductReference } from "./basket.ts";
import { RpcError } from "./error.ts";
import type { Owned } from "./owned.ts";
import type { WishlistOptions } from "./shop.ts";

/** What a visitor wishes for: a variant or a product. */
export type Wish =
  | { readonly variantId: ProductReference; readonly productId?: undefined }
  | { readonly productId: ProductReference; readonly variantId?: undefined };

/** One item of a wishlist. */
export type WishlistItem = Wish & {
  readonly key: string;
  /** Epoch milliseconds. */
  readonly addedAt: number;
};

/** What is stored of a wishlist. */
export interface Wishlist extends Owned {
  readonly items: readonly WishlistItem[];
}

/** A wishlist as a client sees it. */
export interface WishlistView {
  /** Names the wishlist; `null` until something is put in. */
  readonly key: string | null;
  readonly items: readonly WishlistItem[];
}

export const emptyWishlist: Wishlist = { items: [] };

/** Whether something read from a storage is a wishlist. */
export function isWishlist(value: unknown): value is Wishlist {
  return typeof value === "object" && value !== null && Array.isArray((value as Wishlist).items);
}

export function viewWishlist(key: string | undefined, { items }: Wishlist): WishlistView {
  return { key: key ?? null, items };
}

/**
 * Adds a wish; one that is there already stays as it is.
 * @throws RpcError `limit_reached`
 */
export function addWish(
  wishlist: Wishlist,
  wish: Wish & { readonly key: string },
  options: WishlistOptions,
  now: number,
): Wishlist {
  if (wishlist.items.some((item) => isSameWish(item, wish))) return wishlist;
  if (wishlist.items.length >= options.maxItems) {
    throw new RpcError("limit_reached", {
      detail: `A wishlist of this shop holds ${options.maxItems} items`,
    });
  }
  return { ...wishlist, items: [...wishlist.items, { ...wish, addedAt: now }] };
}

/** @throws RpcError `unknown_item` */
export function removeWish(wishlist: Wishlist, key: string): Wishlist {
  const items = wishlist.items.filter((item) => item.key !== key);
  if (items.length === wishlist.items.length) {
    throw new RpcError("unknown_item", { detail: "The wishlist has no item with this key" });
  }
  return { ...wishlist, items };
}

export function clearWishes(wishlist: Wishlist): Wishlist {
  return wishlist.items.length === 0 ? wishlist : { ...wishlist, items: [] };
}

/** Brings a guest's wishes into the user's wishlist; merging twice changes nothing more. */
export function mergeWishes(wishlist: Wishlist, guestItems: readonly WishlistItem[]): Wishlist {
  const added = guestItems.filter((wish) => !wishlist.items.some((item) => isSameWish(item, wish)));
  return added.length === 0 ? wishlist : { ...wishlist, items: [...wishlist.items, ...added] };
}

// --- Internal helpers ---

function isSameWish(a: Wish, b: Wish): boolean {
  return a.variantId === b.variantId && a.productId === b.productId;
}

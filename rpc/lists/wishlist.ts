import { isProductReference, type ProductReference } from "./basket-line.ts";
import { tooManyItems, unknownItem } from "./list-errors.ts";
import { isListDocument, type ListDocument } from "./list-document.ts";

/** A variant or a product that a visitor wishes for. */
export type Wish =
  | { readonly variantId: ProductReference; readonly productId?: undefined }
  | { readonly productId: ProductReference; readonly variantId?: undefined };

/** An item of a wishlist. */
export type WishlistItem = Wish & {
  readonly key: string;
  /** Epoch milliseconds. */
  readonly addedAt: number;
};

/** An item that a merge left out. */
export type LeftOutWish = Wish & { readonly list: "wishlist"; readonly outcome: "left_out" };

/** A wishlist as it is stored. */
export interface Wishlist extends ListDocument {
  readonly items: readonly WishlistItem[];
}

/** The settings of a shop's wishlists, with defaults. */
export interface WishlistOptions {
  /** The most items of a wishlist after a change. */
  readonly maxItems: number;
}

/** A wishlist as a client sees it. */
export interface WishlistView {
  /** `null` until the first item is added. */
  readonly key: string | null;
  readonly items: readonly WishlistItem[];
}

export const emptyWishlist: Wishlist = { items: [] };

/** Whether a stored value is a wishlist with valid items. */
export function isWishlist(value: unknown): value is Wishlist {
  const { items } = (value ?? {}) as Partial<Wishlist>;
  return Array.isArray(items) && items.every(isWishlistItem) && isListDocument(value);
}

export function viewWishlist(key: string | undefined, { items }: Wishlist): WishlistView {
  return { key: key ?? null, items };
}

/**
 * Adds an item. If the wishlist already has it, nothing changes.
 * @throws RpcError `limit_reached`
 */
export function addWish(
  wishlist: Wishlist,
  wish: Wish & { readonly key: string },
  options: WishlistOptions,
  now: number,
): Wishlist {
  const identity = identifyWish(wish);
  if (wishlist.items.some((item) => identifyWish(item) === identity)) return wishlist;
  if (wishlist.items.length >= options.maxItems) {
    throw tooManyItems("wishlist", options.maxItems);
  }
  return { ...wishlist, items: [...wishlist.items, { ...wish, addedAt: now }] };
}

/** @throws RpcError `unknown_item` */
export function removeWish(wishlist: Wishlist, key: string): Wishlist {
  const items = wishlist.items.filter((item) => item.key !== key);
  if (items.length === wishlist.items.length) {
    throw unknownItem("wishlist");
  }
  return { ...wishlist, items };
}

export function clearWishes(wishlist: Wishlist): Wishlist {
  return wishlist.items.length === 0 ? wishlist : { ...wishlist, items: [] };
}

/**
 * Merges a guest's wishlist into the user's, up to twice `maxItems`; merging twice changes nothing more.
 * All of the user's items stay. The report names each of the guest's items that is left out.
 */
export function mergeWishes(
  wishlist: Wishlist,
  guestItems: readonly WishlistItem[],
  { maxItems }: WishlistOptions,
): { list: Wishlist; lines: readonly LeftOutWish[] } {
  const known = new Set(wishlist.items.map(identifyWish));
  const added = guestItems.filter((wish) => !known.has(identifyWish(wish)));
  const room = Math.max(0, 2 * maxItems - wishlist.items.length);
  const lines = added.slice(room).map(leaveOut);
  if (added.length === 0 || room === 0) return { list: wishlist, lines };
  return {
    list: { ...wishlist, items: [...wishlist.items, ...added.slice(0, room)] },
    lines,
  };
}

// --- Internal helpers ---

function isWishlistItem(value: unknown): value is WishlistItem {
  const { key, variantId, productId, addedAt } = (value ?? {}) as Partial<WishlistItem>;
  return (
    typeof key === "string" &&
    isProductReference(variantId ?? productId) &&
    Number.isFinite(addedAt)
  );
}

function identifyWish({ variantId, productId }: Wish): string {
  const id = variantId ?? productId;
  return `${variantId === undefined ? "product" : "variant"}:${typeof id}:${id}`;
}

function leaveOut({ variantId, productId }: WishlistItem): LeftOutWish {
  const wish = variantId === undefined ? { productId } : { variantId };
  return { list: "wishlist", ...wish, outcome: "left_out" };
}

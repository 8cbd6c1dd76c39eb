/** A shop as a method and a frontend may see it: nothing in here is secret. */
export interface PublicShop {
  readonly shopId: number;
  /** BCP 47 language tag, as `de-DE`. */
  readonly locale: string;
  /** ISO 4217 code, as `EUR`. */
  readonly currency: string;
  /** Host names the shop is served under; `*.shop.example` for every host below `shop.example`. */
  readonly host?: string | string[] | undefined;
  /** First path segment the shop is served under. */
  readonly path?: string | undefined;
}

/** How a guest's basket meets the user's at login. */
export type MergeStrategy = "merge" | "useGuest" | "useExisting" | "useGuestIfExistingEmpty";

/** The rules of a shop's baskets, as decided. */
export interface BasketOptions {
  readonly mergeStrategy: MergeStrategy;
  /** The most lines a call may bring a basket to. */
  readonly maxItems: number;
  /** The most pieces of one line. */
  readonly maxQuantity: number;
}

/** The rules of a shop's wishlists, as decided. */
export interface WishlistOptions {
  /** The most items a call may bring a wishlist to. */
  readonly maxItems: number;
}

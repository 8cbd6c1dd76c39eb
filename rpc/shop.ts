/** The public settings of a shop, for methods and frontends. */
export interface PublicShop {
  readonly shopId: number;
  /** A BCP 47 language tag, for example `de-DE`. */
  readonly locale: string;
  /** An ISO 4217 code, for example `EUR`. */
  readonly currency: string;
  /** The hosts of the shop. `*.shop.example` is every host below `shop.example`. */
  readonly host?: string | string[] | undefined;
  /** The first segment of the shop's paths. */
  readonly path?: string | undefined;
}

/** How a login merges a guest's basket into the user's. */
export type MergeStrategy = "merge" | "useGuest" | "useExisting" | "useGuestIfExistingEmpty";

/** The settings of a shop's baskets, with defaults. */
export interface BasketOptions {
  readonly mergeStrategy: MergeStrategy;
  /** The most lines of a basket after a change. */
  readonly maxItems: number;
  /** The most items of one line. */
  readonly maxQuantity: number;
}

/** The settings of a shop's wishlists, with defaults. */
export interface WishlistOptions {
  /** The most items of a wishlist after a change. */
  readonly maxItems: number;
}

import type { MergeStrategy } from "../../../rpc/shop.ts";
import { count, oneOf, type KeysOf } from "./key.ts";

/** Limits of baskets, and how they merge at login. */
export interface BasketConfig {
  /** How a guest's basket merges into the user's at login. @default "merge" */
  readonly mergeStrategy?: MergeStrategy | undefined;
  /** The most lines of a basket. @default 100 */
  readonly maxItems?: number | undefined;
  /** The most pieces of a line. @default 1000 */
  readonly maxQuantity?: number | undefined;
}

export const basketKeys = {
  mergeStrategy: {
    ...oneOf("merge", "useGuest", "useExisting", "useGuestIfExistingEmpty"),
    default: "merge",
  },
  maxItems: { ...count(), default: 100 },
  maxQuantity: { ...count(), default: 1000 },
} satisfies KeysOf<BasketConfig>;

/** Limits of wishlists. */
export interface WishlistConfig {
  /** The most items of a wishlist. @default 200 */
  readonly maxItems?: number | undefined;
}

export const wishlistKeys = {
  maxItems: { ...count(), default: 200 },
} satisfies KeysOf<WishlistConfig>;

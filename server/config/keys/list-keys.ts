import type { BasketOptions, WishlistOptions } from "../../../rpc/shop.ts";
import { count, oneOf, type KeysOf } from "./key.ts";

export const basketKeys = {
  mergeStrategy: {
    ...oneOf("merge", "useGuest", "useExisting", "useGuestIfExistingEmpty"),
    default: "merge",
  },
  maxItems: { ...count(), default: 100 },
  maxQuantity: { ...count(), default: 1000 },
} satisfies KeysOf<BasketOptions>;

export const wishlistKeys = {
  maxItems: { ...count(), default: 200 },
} satisfies KeysOf<WishlistOptions>;

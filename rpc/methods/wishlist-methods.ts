import { randomUUID } from "uncrypto";
import * as z from "zod";
import { callOf, type RpcContext } from "../context.ts";
import { defineRpcMethod } from "../method.ts";
import { itemKey, productReference } from "./fields.ts";
import type { WishlistOptions } from "../shop.ts";
import {
  addWish,
  clearWishes,
  removeWish,
  viewWishlist,
  type Wishlist,
  type WishlistView,
} from "../lists/wishlist.ts";

/** The visitor's wishlist. */
export const getWishlist = defineRpcMethod({
  readOnly: true,
  async handler(_, context) {
    const { key, value } = await callOf(context).session.lists.read("wishlist");
    return { wishlist: viewWishlist(key, value) };
  },
});

/** Adds a variant or a product; one that is there already stays as it is. */
export const addItemToWishlist = defineRpcMethod({
  input: z.union(
    [
      z.strictObject({ variantId: productReference }),
      z.strictObject({ productId: productReference }),
    ],
    { error: "Expected either a variantId or a productId: a positive integer or a short string" },
  ),
  handler(wish, context) {
    const added = { ...wish, key: randomUUID() };
    return changeWishlist(context, (wishlist, options) =>
      addWish(wishlist, added, options, Date.now()),
    );
  },
});

export const removeItemFromWishlist = defineRpcMethod({
  input: z.strictObject({ itemKey }),
  handler({ itemKey: key }, context) {
    return changeWishlist(context, (wishlist) => removeWish(wishlist, key));
  },
});

export const clearWishlist = defineRpcMethod({
  handler(_, context) {
    return changeWishlist(context, clearWishes);
  },
});

// --- Internal helpers ---

async function changeWishlist(
  context: RpcContext,
  rule: (wishlist: Wishlist, options: WishlistOptions) => Wishlist,
): Promise<{ wishlist: WishlistView }> {
  const { services, session } = callOf(context);
  const { key, value } = await session.lists.change("wishlist", (wishlist) =>
    rule(wishlist, services.wishlistOptions),
  );
  return { wishlist: viewWishlist(key, value) };
}

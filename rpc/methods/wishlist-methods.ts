import { randomUUID } from "uncrypto";
import * as z from "zod";
import { defineRpcMethod } from "../method.ts";
import { itemKey, productReference } from "./fields.ts";
import { addWish, clearWishes, removeWish } from "../lists/wishlist.ts";

/** Returns the visitor's wishlist. */
export const getWishlist = defineRpcMethod({
  readOnly: true,
  handler: (_, { readWishlist }) => readWishlist(),
});

/** Adds a variant or a product, unless the wishlist has it. */
export const addItemToWishlist = defineRpcMethod({
  verb: "PUT",
  input: z.union(
    [
      z.strictObject({ variantId: productReference }),
      z.strictObject({ productId: productReference }),
    ],
    { error: "Expected either a variantId or a productId: a positive integer or a short string" },
  ),
  handler(wish, { changeWishlist }) {
    const added = { ...wish, key: randomUUID() };
    return changeWishlist((wishlist, options) => addWish(wishlist, added, options, Date.now()));
  },
});

export const removeItemFromWishlist = defineRpcMethod({
  verb: "DELETE",
  input: z.strictObject({ itemKey }),
  handler({ itemKey: key }, { changeWishlist }) {
    return changeWishlist((wishlist) => removeWish(wishlist, key));
  },
});

export const clearWishlist = defineRpcMethod({
  verb: "DELETE",
  handler: (_, { changeWishlist }) => changeWishlist(clearWishes),
});

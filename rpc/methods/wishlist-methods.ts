import { defineRpcMethod } from "../define-method.ts";
import { wishInput, wishKeyInput } from "./list-inputs.ts";
import { addWish, clearWishes, removeWish } from "../lists/wishlist.ts";

/** Returns the visitor's wishlist. */
export const getWishlist = defineRpcMethod({
  readOnly: true,
  handler: (_, { readWishlist }) => readWishlist(),
});

/** Adds a variant or a product, unless the wishlist has it. */
export const addItemToWishlist = defineRpcMethod({
  verb: "PUT",
  input: wishInput,
  handler(wish, { changeWishlist }) {
    return changeWishlist((wishlist, options, now, createKey) =>
      addWish(wishlist, { ...wish, key: createKey() }, options, now),
    );
  },
});

export const removeItemFromWishlist = defineRpcMethod({
  verb: "DELETE",
  input: wishKeyInput,
  handler({ itemKey: key }, { changeWishlist }) {
    return changeWishlist((wishlist) => removeWish(wishlist, key));
  },
});

export const clearWishlist = defineRpcMethod({
  verb: "DELETE",
  handler: (_, { changeWishlist }) => changeWishlist(clearWishes),
});

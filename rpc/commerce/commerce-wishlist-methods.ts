import { wishInput, wishKeyInput } from "../methods/list-inputs.ts";
import { changeCommerceWishlist, readCommerceWishlist } from "./call-wishlist.ts";
import { defineCallMethod } from "./commerce-method.ts";
import { planWish, planWishClear, planWishRemoval } from "./wishlist-plan.ts";

/*
 * The wishlist's methods in shops whose wishlists are in a commerce system. They have the payloads of the built-in ones.
 */

const getWishlist = defineCallMethod({ readOnly: true }, (_, call) => readCommerceWishlist(call));

const addItemToWishlist = defineCallMethod({ verb: "PUT", input: wishInput }, (wish, call) =>
  changeCommerceWishlist(call, (seen, options) => planWish(seen, wish, options)),
);

const removeItemFromWishlist = defineCallMethod(
  { verb: "DELETE", input: wishKeyInput },
  ({ itemKey }, call) => changeCommerceWishlist(call, (seen) => planWishRemoval(seen, itemKey)),
);

const clearWishlist = defineCallMethod({ verb: "DELETE" }, (_, call) =>
  changeCommerceWishlist(call, planWishClear),
);

export const commerceWishlistMethods = {
  getWishlist,
  addItemToWishlist,
  removeItemFromWishlist,
  clearWishlist,
};

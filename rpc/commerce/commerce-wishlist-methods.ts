import { wishInput, wishKeyInput } from "../methods/list-inputs.ts";
import { changeCommerceWishlist, readCommerceWishlist } from "./call-wishlist.ts";
import { defineCallMethod } from "./commerce-method.ts";
import { planWish, planWishClear, planWishRemoval } from "./wishlist-plan.ts";

/*
 * The wishlist's methods in shops whose wishlists are in a commerce system. They have the payloads of the built-in ones.
 */

const getWishlist = defineCallMethod({ readOnly: true }, (_, session) =>
  readCommerceWishlist(session),
);

const addItemToWishlist = defineCallMethod({ verb: "PUT", input: wishInput }, (wish, session) =>
  changeCommerceWishlist(session, (seen, options) => planWish(seen, wish, options)),
);

const removeItemFromWishlist = defineCallMethod(
  { verb: "DELETE", input: wishKeyInput },
  ({ itemKey }, session) =>
    changeCommerceWishlist(session, (seen) => planWishRemoval(seen, itemKey)),
);

const clearWishlist = defineCallMethod({ verb: "DELETE" }, (_, session) =>
  changeCommerceWishlist(session, planWishClear),
);

export const commerceWishlistMethods = {
  getWishlist,
  addItemToWishlist,
  removeItemFromWishlist,
  clearWishlist,
};

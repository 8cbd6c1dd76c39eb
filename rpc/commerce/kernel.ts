/*
 * The code for commerce systems. The rest of the program imports it as `#commerce`, so that the bundle of a worker without
 * a commerce system doesn't contain it: `imports` of package.json then replaces this module with worker-kernel.ts.
 */

export { readCommerceBasket } from "./call-basket.ts";
export { moveWishlist, readCommerceWishlist } from "./call-wishlist.ts";
export { createCommerceMethods } from "./commerce-methods.ts";
export { createCommerceSystem } from "./commerce-system.ts";
export { openBasketLeases, openGrantEndings, openShopGrants } from "./grant-storage.ts";
export { storeLoginGrant, withChangeVisit, withCheckVisit, withLoginVisit } from "./login-visit.ts";
export { moveBasket } from "./move-basket.ts";
export { settleGrant } from "./settle-grant.ts";

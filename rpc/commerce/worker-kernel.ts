/*
 * Replaces kernel.ts in the bundle of a worker. The entry `storefront-core/commerce` registers that module here, and the
 * adapters of this package import the entry.
 */

import { createVisit } from "./visitor.ts";
import type * as kernel from "./kernel.ts";

type Kernel = typeof kernel;

let registered: Kernel | undefined;

/** Adds the code for commerce systems to this bundle. */
export function registerKernel(code: Kernel): void {
  registered = code;
}

// Each call has these, also in a shop without a commerce system.
export const openGrantEndings: Kernel["openGrantEndings"] = (...args) =>
  registered?.openGrantEndings(...args);
export const openShopGrants: Kernel["openShopGrants"] = (...args) =>
  registered?.openShopGrants(...args);
export const storeLoginGrant: Kernel["storeLoginGrant"] = async (...args) =>
  registered?.storeLoginGrant(...args);
export const withLoginVisit: Kernel["withLoginVisit"] = (session, run) =>
  registered === undefined ? run(createVisit(session)) : registered.withLoginVisit(session, run);
export const withChangeVisit: Kernel["withChangeVisit"] = (session, run) =>
  registered === undefined ? run(createVisit(session)) : registered.withChangeVisit(session, run);
export const withCheckVisit: Kernel["withCheckVisit"] = (session, run) =>
  registered === undefined ? run(createVisit(session)) : registered.withCheckVisit(session, run);

export const createCommerceMethods: Kernel["createCommerceMethods"] = (...args) => {
  if (registered !== undefined) return registered.createCommerceMethods(...args);
  throw new Error(
    'The bundle of this worker has no code for commerce systems. Add `import "storefront-core/commerce"` to the module of the adapter.',
  );
};

// Only a shop with a commerce system gets here, after createCommerceMethods.
// A worker does no work between two requests, so nothing can probe the system in the background.
export const createCommerceSystem: Kernel["createCommerceSystem"] = ({ name, timeout }, ...args) =>
  (registered as Kernel).createCommerceSystem({ name, timeout }, ...args);
export const openBasketLeases: Kernel["openBasketLeases"] = (...args) =>
  (registered as Kernel).openBasketLeases(...args);
export const readCommerceBasket: Kernel["readCommerceBasket"] = (...args) =>
  (registered as Kernel).readCommerceBasket(...args);
export const readCommerceWishlist: Kernel["readCommerceWishlist"] = (...args) =>
  (registered as Kernel).readCommerceWishlist(...args);
export const moveBasket: Kernel["moveBasket"] = (...args) =>
  (registered as Kernel).moveBasket(...args);
export const moveWishlist: Kernel["moveWishlist"] = (...args) =>
  (registered as Kernel).moveWishlist(...args);
export const settleGrant: Kernel["settleGrant"] = (...args) =>
  (registered as Kernel).settleGrant(...args);

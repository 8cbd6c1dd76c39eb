/** Vendure 3 as the commerce system of a shop, and Vendure's session cache: the public entry `storefront-core/vendure`. */

import { assertOptions } from "../shared/similar.ts";
import "../server/commerce.ts";
import * as z from "zod";
import type { CommerceBackend, CommerceWishlist } from "../server/index.ts";
import { createVendureAccounts, withoutToken } from "./vendure-accounts.ts";
import { logout } from "./vendure-customer.ts";
import { activeOrder, createVendureBaskets } from "./vendure-baskets.ts";
import { createVendureCheckout } from "./vendure-checkout.ts";
import type { VendureBasket } from "./vendure-order.ts";
import {
  createVendureRequest,
  failed,
  type VendureGrant,
  type VendureOptions,
} from "./vendure-request.ts";

export { createVendureSessionCache } from "./vendure-session-cache.ts";
export type { CachedSession, VendureSessionCacheOptions } from "./vendure-session-cache.ts";
export type { VendureBasket, VendureLine, VendureOrder } from "./vendure-order.ts";
export type { VendureGrant, VendureOptions } from "./vendure-request.ts";

/** The methods for the checkout and the orders. */
export type VendureMethods = ReturnType<typeof createVendureCheckout>;

/**
 * Creates a backend for Vendure's Shop API. A visitor's grant is the token of a Vendure session, and the active order
 * is the basket. Vendure's `logout` ends all sessions of a customer, so it runs when the last session here has ended.
 */
export function vendure(
  options: VendureOptions,
): CommerceBackend<VendureGrant, VendureBasket, CommerceWishlist, VendureMethods> {
  assertOptions("vendure", options, { url: true, channel: true });
  const api = createVendureRequest(options);
  return {
    name: "vendure",
    async check({ shop, fetch }) {
      const { result } = await api.send({ shop, fetch }, activeChannel, undefined);
      const { currency } = shop;
      if (result.availableCurrencyCodes.includes(currency)) return;
      const found = result.availableCurrencyCodes.join(", ");
      throw new Error(`The channel has the currencies ${found}, and not the shop's ${currency}`);
    },
    grants: {
      async begin(visit) {
        const { issued } = await api.send(visit, activeOrder, undefined);
        if (!issued) throw failed(withoutToken);
        return { token: issued };
      },
      async end(visit) {
        // Vendure can't end a guest's session before its time.
        if (visit.user !== undefined) await api.send(visit, logout, visit.grant.token);
      },
      endsAll: true,
    },
    accounts: createVendureAccounts(api),
    baskets: createVendureBaskets(api),
    methods: createVendureCheckout(api),
  };
}

// --- Internal helpers ---

const activeChannel = {
  query: "{ r: activeChannel { availableCurrencyCodes } }",
  result: z.object({ availableCurrencyCodes: z.array(z.string()) }),
};

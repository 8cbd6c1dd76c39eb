/** Medusa 2 (2.11.2 or later) as the commerce system of a shop: the public entry `storefront-core/medusa`. */

import { assertOptions } from "../shared/similar.ts";
import "../server/commerce.ts";
import * as z from "zod";
import type { CommerceBackend, Visit } from "../server/index.ts";
import { createMedusaAccounts, findUser, refreshToken, toGrant } from "./medusa-accounts.ts";
import { createMedusaBaskets } from "./medusa-baskets.ts";
import type { MedusaBasket } from "./medusa-cart.ts";
import { createMedusaCarts } from "./medusa-carts.ts";
import { createMedusaRequest, type MedusaGrant, type MedusaOptions } from "./medusa-request.ts";

export type { MedusaBasket, MedusaLine } from "./medusa-cart.ts";
export type { MedusaGrant, MedusaOptions } from "./medusa-request.ts";

/** The backend of {@link medusa}. */
export interface MedusaBackend extends CommerceBackend<MedusaGrant, MedusaBasket> {
  /**
   * Finds the visitor's cart, for methods of your own, for example for a checkout. Keep its ID on the server: anyone
   * who has it can see and change the cart.
   * @returns the ID; `undefined` if the visitor has no cart, or has placed its order
   */
  findCartId(visit: Visit<MedusaGrant>): Promise<string | undefined>;
}

/**
 * Creates a backend for Medusa's Store API, with carts as baskets. A guest's grant is the ID of a cart, and a
 * customer's a JWT, which Medusa can't end. The storefront moves the guest's lines at the login.
 */
export function medusa(options: MedusaOptions): MedusaBackend {
  assertOptions("medusa", options, { url: true, publishableKey: true, regionId: true });
  const api = createMedusaRequest(options);
  const carts = createMedusaCarts(api, options.regionId);
  return {
    name: "medusa",
    async check(connection) {
      const path = `/store/regions/${encodeURIComponent(options.regionId)}?fields=currency_code`;
      const { region } = await api.request(connection, { path, result: regionBody });
      const { currency } = connection.shop;
      const found = region.currency_code.toUpperCase();
      if (found === currency) return;
      throw new Error(`The currency of the region is ${found}, and that of the shop ${currency}`);
    },
    grants: {
      begin: async (visit) => ({ cartId: await carts.create(visit) }),
      async renew(visit) {
        // The cart of a guest was ordered or deleted: another one begins.
        if (visit.grant.token === undefined) return undefined;
        const login = await refreshToken(api, visit, visit.grant.token);
        const user = login && (await findUser(api, visit, login));
        return user && toGrant(login);
      },
    },
    accounts: createMedusaAccounts(api),
    baskets: createMedusaBaskets(api, carts),
    findCartId: async (visit) => (await carts.find(visit))?.id,
  };
}

// --- Internal helpers ---

const regionBody = z.object({ region: z.object({ currency_code: z.string() }) });

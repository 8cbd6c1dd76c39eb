import { defineStorefrontConfig, type CommerceMethods } from "storefront-core";
import { vendure } from "storefront-core/vendure";
import { createCatalogue } from "./catalogue.ts";

const url = process.env["VENDURE_URL"] ?? "http://127.0.0.1:3001/shop-api";

/** Accounts, baskets, and the checkout of Vendure, and this shop's own methods for its products. */
function createBackend(channel: string) {
  const backend = vendure({ url, channel });
  return { ...backend, methods: { ...backend.methods, ...createCatalogue({ url, channel }) } };
}

export type ShopMethods = CommerceMethods<ReturnType<typeof createBackend>>;

export default defineStorefrontConfig({
  shops: [
    { shopId: 1001, locale: "en-DE", currency: "EUR", commerce: createBackend("shop-de") },
    { shopId: 1002, locale: "en-US", currency: "USD", commerce: createBackend("shop-us") },
  ],
});

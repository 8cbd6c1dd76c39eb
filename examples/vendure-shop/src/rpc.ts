import { createRpcClient } from "storefront-core/client";
import type { ShopMethods } from "../storefront.config.ts";

/** The visitor's region: each region is a shop of the config. */
export const regions = [
  { shopId: 1001, name: "Europe · EUR", locale: "en-DE", currency: "EUR", country: "DE" },
  { shopId: 1002, name: "United States · USD", locale: "en-US", currency: "USD", country: "US" },
] as const;

const chosen = Number(localStorage.getItem("region"));
export const region = regions.find(({ shopId }) => shopId === chosen) ?? regions[0];

export function chooseRegion(shopId: number): void {
  localStorage.setItem("region", String(shopId));
  location.reload();
}

export const rpc = createRpcClient<ShopMethods>({ baseURL: "", shopId: region.shopId });

const money = new Intl.NumberFormat(region.locale, {
  style: "currency",
  currency: region.currency,
});

/** @param amount in the currency's minor unit */
export function formatPrice(amount: number): string {
  return money.format(amount / 100);
}

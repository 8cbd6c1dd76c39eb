import { defineStorefrontConfig } from "storefront-core";
import { medusa } from "storefront-core/medusa";

const { TEST_MEDUSA, TEST_REDIS_URL: url, TEST_SECRET: secret } = process.env;
const { regions, ...system } = JSON.parse(TEST_MEDUSA ?? "{}") as {
  readonly url: string;
  readonly publishableKey: string;
  readonly regions: { readonly eur: string; readonly usd: string };
};

export default defineStorefrontConfig({
  shops: [
    {
      shopId: 1001,
      locale: "de-DE",
      currency: "EUR",
      commerce: medusa({ ...system, regionId: regions.eur }),
    },
    {
      shopId: 1002,
      locale: "en-US",
      currency: "USD",
      path: "us",
      commerce: medusa({ ...system, regionId: regions.usd }),
    },
  ],
  session: { secret },
  // Twenty changes of one cart run one after the other, and a busy machine takes a second for each.
  callTimeout: 120,
  storage: { session: { driver: "redis", url } },
});

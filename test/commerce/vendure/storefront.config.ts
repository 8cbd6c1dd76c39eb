import { defineStorefrontConfig } from "storefront-core";
import { vendure } from "storefront-core/vendure";

const { TEST_VENDURE_URL = "", TEST_REDIS_URL = "", TEST_SECRET = "" } = process.env;
const url = `${TEST_VENDURE_URL}/shop-api`;

export default defineStorefrontConfig({
  shops: [
    {
      shopId: 1001,
      locale: "en-DE",
      currency: "EUR",
      commerce: vendure({ url, channel: "shop-de" }),
    },
    {
      shopId: 1002,
      locale: "en-US",
      currency: "USD",
      path: "us",
      commerce: vendure({ url, channel: "shop-us" }),
    },
  ],
  session: { secret: TEST_SECRET },
  storage: { session: { driver: "redis", url: TEST_REDIS_URL } },
});

import { defineStorefrontConfig } from "storefront-core";
import { greet } from "./methods/greet.ts";

export const methods = { greet };

export default defineStorefrontConfig({
  // `next start` sets this header if the request has none. So in production, a proxy in front must add to it.
  clientAddress: ({ headers }) => headers.get("x-forwarded-for")?.split(",").at(-1)?.trim(),
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  session: { secret: process.env["STOREFRONT_SESSION_SECRET"] },
  // One process only: with several, use the driver "redis".
  storage: { singleProcess: true, account: { driver: "fs", base: ".data/accounts" } },
  methods,
});

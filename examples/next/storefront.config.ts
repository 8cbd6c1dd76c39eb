import { defineStorefrontConfig } from "storefront-core";
import { greet } from "./methods/greet.ts";

export const methods = { greet };

export default defineStorefrontConfig({
  // Next.js gives routes no address. The proxy in front runs on the same machine, and adds the visitor's to X-Forwarded-For.
  clientAddress: () => "127.0.0.1",
  trustProxy: ["loopback"],
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  session: { secret: process.env["STOREFRONT_SESSION_SECRET"] },
  // One process only: with several, use the driver "redis".
  storage: { singleProcess: true, account: { driver: "fs", base: ".data/accounts" } },
  methods,
});

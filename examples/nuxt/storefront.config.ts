import { defineStorefrontConfig } from "storefront-core";
import { greet } from "./methods/greet";

export const methods = { greet };

export default defineStorefrontConfig({
  // The proxy in front, which terminates TLS, runs on the same machine.
  trustProxy: ["loopback"],
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  session: { secret: process.env["STOREFRONT_SESSION_SECRET"] },
  // One process only: with several, use the driver "redis".
  storage: { singleProcess: true, account: { driver: "fs", base: ".data/accounts" } },
  methods,
});

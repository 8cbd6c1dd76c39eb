import { defineStorefrontConfig } from "storefront-core";
import { greet } from "./methods/greet.ts";
import { setName } from "./methods/set-name.ts";

export const methods = { greet, setName };

export default defineStorefrontConfig({
  // In production, the proxy in front runs on the same machine.
  trustProxy: ["loopback"],
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  session: { secret: process.env["STOREFRONT_SESSION_SECRET"] },
  // One process only: with several, use the driver "redis".
  storage: { singleProcess: true, account: { driver: "fs", base: ".data/accounts" } },
  methods,
});

import { createStorefront, type BuiltinMethods } from "storefront-core";
import config, { type methods } from "../storefront.config";

export type Methods = BuiltinMethods & typeof methods;

export const storefront = createStorefront(config, {
  // Visitors keep their sessions and baskets if `nitro dev` restarts. Tests must not share them; production ignores it.
  developmentFolder: process.env["NODE_ENV"] === "test" ? undefined : process.cwd(),
});

import { building, dev } from "$app/environment";
import { createStorefront, type BuiltinMethods } from "storefront-core";
import config, { type methods } from "../../../storefront.config.ts";

export type Methods = BuiltinMethods & typeof methods;

// `node build` doesn't set NODE_ENV, and `vite build` loads this module without the secret of production.
export const storefront = createStorefront(config, {
  production: !dev && !building,
  // Visitors keep their sessions and baskets if `vite dev` restarts.
  developmentFolder: dev ? process.cwd() : undefined,
});

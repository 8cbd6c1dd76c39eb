import { createStorefront, type BuiltinMethods } from "storefront-core";
import { createNextCaller } from "storefront-core/next";
import config, { type methods } from "../storefront.config";

export type Methods = BuiltinMethods & typeof methods;

// Next.js loads this module once for pages and once for routes, so the process keeps the storefront.
const kept = globalThis as { storefront?: ReturnType<typeof createStorefront> };
// `next build` loads it, too, without the secret of production.
const production =
  process.env["NODE_ENV"] === "production" &&
  process.env["NEXT_PHASE"] !== "phase-production-build";
export const storefront = (kept.storefront ??= createStorefront(config, {
  production,
  // Visitors keep their sessions and baskets if `next dev` restarts.
  developmentFolder: process.env["NODE_ENV"] === "development" ? process.cwd() : undefined,
}));

/** The client for Server Components and Server Actions. */
export const getRpc = () => createNextCaller<Methods>(storefront);

import type { PublicShop } from "../../../rpc/shop.ts";
import { boolean, day, listOf, seconds, type ConfigOf, type KeyTable } from "./config-key.ts";

/** Origins as a browser sends them (`https://shop.example`), patterns of origins, or a function. */
export type CorsOrigin =
  | readonly (string | RegExp)[]
  | ((origin: string, shop: PublicShop) => boolean);

/** The pages of other origins that can call the server, and their permissions. */
export interface CorsConfig extends ConfigOf<typeof corsKeys> {}

/** The name of a header (RFC 9110, 5.1). */
export const fieldName = /^[!#$%&'*+.^_`|~\w-]+$/;

/** Whether a rule of `cors.origin` matches an origin. */
export function matchesOrigin(rule: string | RegExp, origin: string): boolean {
  if (typeof rule === "string") return rule === origin;
  // Without anchors, a pattern also matches `https://shop.example.evil.example`.
  return new RegExp(`^(?:${rule.source})$`, rule.flags.replace(/[gmy]/g, "")).test(origin);
}

export const corsKeys = {
  /** Origins whose pages can call: names, patterns that match the whole origin, or a function. @default none: only pages of the server's own origin */
  origin: {
    ...listOf<CorsOrigin>(
      (rule) => rule instanceof RegExp || isOrigin(rule),
      "a list of origins (for example https://shop.example) and patterns, or a function",
      { isOther: (found) => typeof found === "function" },
    ),
    default: [],
  },
  /** Whether browsers send cookies with these calls. @default true */
  credentials: { ...boolean, default: true },
  /** Request headers that pages can send, in addition to the server's own. @default each header that an allowed page requests */
  allowedHeaders: headerNames(),
  /** Response headers that pages can read, in addition to the bearer token, `Retry-After`, and `Storefront-Response`. @default [] */
  exposedHeaders: { ...headerNames(), default: [] },
  /** Seconds for which a browser caches a preflight. @default 600 */
  maxAge: { ...seconds(day), default: 600 },
} satisfies KeyTable;

// --- Internal helpers ---

function headerNames() {
  return listOf<readonly string[]>(
    (name) => typeof name === "string" && name !== "*" && fieldName.test(name),
    "a list of header names",
  );
}

/** Whether a value is an origin as a browser sends it: without a path, without `*`. */
function isOrigin(found: unknown): boolean {
  if (typeof found !== "string" || found.includes("*") || !URL.canParse(found)) return false;
  return new URL(found).origin === found;
}

import type { BasketOptions, WishlistOptions } from "../rpc/shop.ts";
import type { SessionConfig } from "./config.ts";
import type { CorsOptions } from "./options.ts";

/** The session settings that have a default. */
export type SessionDefaults = {
  readonly [
    Key in
      | "cookieName"
      | "sameSite"
      | "maxAge"
      | "secure"
      | "partitioned"
      | "tokenMethod"
      | "authTokenHeaderKey"
  ]: NonNullable<SessionConfig[Key]>;
};

/** What holds where a config says nothing. */
export const sessionDefaults: SessionDefaults = {
  cookieName: "$session",
  sameSite: "lax",
  maxAge: 86_400,
  secure: "auto",
  partitioned: false,
  tokenMethod: "cookie",
  authTokenHeaderKey: "storefront-auth-token",
};

export const corsDefaults: CorsOptions = {
  origin: [],
  credentials: true,
  exposedHeaders: [],
  maxAge: 600,
};

export const basketDefaults: BasketOptions = {
  mergeStrategy: "merge",
  maxItems: 100,
  maxQuantity: 1000,
};

export const wishlistDefaults: WishlistOptions = { maxItems: 200 };

/** Lays settings over one another, key by key; the last wins, and `undefined` never does. */
export function mergeLayers<T extends object>(
  ...layers: readonly ({ readonly [Key in keyof T]?: T[Key] | undefined } | undefined)[]
): T {
  const entries = layers.flatMap((layer) => Object.entries(layer ?? {}));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}

import type { BasketOptions, WishlistOptions } from "../rpc/shop.ts";
import type { SessionConfig } from "./config.ts";
import type { CorsOptions, LoginAttemptsOptions } from "./options.ts";

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
      | "renewAfter"
      | "freshFor"
      | "maxSessionsPerUser"
      | "sessionLimitPolicy"
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
  renewAfter: 4 * 3600,
  freshFor: 300,
  maxSessionsPerUser: 50,
  sessionLimitPolicy: "endOldest",
};

/** Seconds from its login that a user's session lives at most, unless the config says otherwise. */
export const defaultAbsoluteTimeout = 30 * 86_400;

export const loginAttemptsDefaults: LoginAttemptsOptions = {
  perAccount: 10,
  perAddress: 100,
  window: 900,
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

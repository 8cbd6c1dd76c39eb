import type { RpcMethods } from "../../rpc/method.ts";
import { corsKeys, type CorsConfig } from "./keys/cors-keys.ts";
import {
  basketKeys,
  wishlistKeys,
  type BasketConfig,
  type WishlistConfig,
} from "./keys/list-keys.ts";
import {
  adminKeys,
  httpKeys,
  loginAttemptsKeys,
  type AdminConfig,
  type LoginAttemptsConfig,
  type ServerConfig,
} from "./keys/server-keys.ts";
import { sessionKeys, type SessionConfig } from "./keys/session-keys.ts";
import type { ShopConfig } from "./keys/shop-keys.ts";
import { shopStorageKeys, storageKeys, type ServerStorageConfig } from "./keys/storage-keys.ts";
import type { TopConfig } from "./keys/top-keys.ts";

/** The config of a server: the default export of `storefront.config.ts`. */
export interface StorefrontConfig<
  Methods extends RpcMethods = RpcMethods,
> extends TopConfig<Methods> {
  /** The shops, one or more. */
  readonly shops: readonly ShopConfig[];
  /** How a session travels and when it expires. */
  readonly session?: SessionConfig | undefined;
  /** The storages of sessions, baskets, wishlists, and accounts. */
  readonly storage?: ServerStorageConfig | undefined;
  /** Which pages of other origins can call the server: see docs/cors.md. */
  readonly cors?: CorsConfig | undefined;
  /** Limits of baskets, and how they merge at login. */
  readonly basket?: BasketConfig | undefined;
  /** Limits of wishlists. */
  readonly wishlist?: WishlistConfig | undefined;
  /** Limits of failed logins; `false` for no limits. */
  readonly loginAttempts?: LoginAttemptsConfig | false | undefined;
  /** The admin API: see docs/sessions.md. */
  readonly admin?: AdminConfig | undefined;
  /** HTTP settings of `storefront start` and `storefront dev`. Your own server has settings of its own. */
  readonly server?: ServerConfig | undefined;
}

/** Groups of keys of the top level. A shop can have them too, and overrides them key by key. */
export const shopGroups = {
  session: sessionKeys,
  cors: corsKeys,
  storage: shopStorageKeys,
  basket: basketKeys,
  wishlist: wishlistKeys,
};

/** Groups of keys of the top level alone. */
export const serverGroups = {
  storage: storageKeys,
  loginAttempts: loginAttemptsKeys,
  admin: adminKeys,
  server: httpKeys,
};

/** Types a config, and returns it unchanged. */
export function defineStorefrontConfig<Methods extends RpcMethods>(
  config: StorefrontConfig<Methods>,
): StorefrontConfig<Methods> {
  return config;
}

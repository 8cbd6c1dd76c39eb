import type { H3 } from "h3";
import * as z from "zod/mini";
import type { RpcMethods } from "../../rpc/method.ts";
import type { Storefront } from "../storefront-app.ts";
import { corsKeys, type CorsConfig } from "./keys/cors-keys.ts";
import { falseOr, group, objectOf, type ConfigOf } from "./keys/config-key.ts";
import {
  adminKeys,
  devPageKeys,
  httpKeys,
  loginAttemptsKeys,
  type AdminConfig,
  type LoginAttemptsConfig,
} from "./keys/server-keys.ts";
import { removedSessionKeys, sessionKeys, type SessionConfig } from "./keys/session-keys.ts";
import { basketKeys, shopKeys, wishlistKeys } from "./keys/shop-keys.ts";
import { shopStorageKeys, storageKeys, type ShopStorageConfig } from "./keys/storage-keys.ts";
import { topKeys } from "./keys/top-keys.ts";

/** The config of a server: the default export of `storefront.config.ts`. */
export interface StorefrontConfig<Methods extends RpcMethods = RpcMethods> extends Omit<
  ConfigOf<typeof topKeys>,
  "methods"
> {
  /** Your methods. A method with the name of a built-in one replaces it: see docs/rpc.md. @default none */
  readonly methods?: Methods | undefined;
  /** The shops, one or more. */
  readonly shops: readonly ShopConfig[];
  /** How a session travels and when it expires. */
  readonly session?: SessionConfig | undefined;
  /** The storages of sessions, baskets, wishlists, and accounts. */
  readonly storage?: ConfigOf<typeof storageKeys> | undefined;
  /** The pages of other origins that can call the server: see docs/cors.md. */
  readonly cors?: CorsConfig | undefined;
  /** Limits of baskets, and how they merge at login. */
  readonly basket?: ConfigOf<typeof basketKeys> | undefined;
  /** Limits of wishlists. */
  readonly wishlist?: ConfigOf<typeof wishlistKeys> | undefined;
  /** Limits of failed logins; `false` for no limits. */
  readonly loginAttempts?: LoginAttemptsConfig | false | undefined;
  /** The admin API: see docs/sessions.md. */
  readonly admin?: AdminConfig | undefined;
  /** The development page: see docs/dev-page.md. */
  readonly devPage?: ConfigOf<typeof devPageKeys> | undefined;
  /** HTTP settings of `storefront start` and `storefront dev`. Your own server has settings of its own. */
  readonly server?: ServerConfig | undefined;
}

/** How `storefront start` serves HTTP and shuts down. Durations are seconds. */
export interface ServerConfig extends Omit<ConfigOf<typeof httpKeys>, "routes"> {
  /** Adds HTTP routes of your own, for example for a webhook or a sitemap: see docs/operations.md. The second argument is the storefront, for `createRpcCaller`. The function can be async. @default none */
  readonly routes?: ((app: H3, storefront: Storefront) => unknown) | undefined;
}

/** One storefront. Its groups override the global ones key by key. */
export interface ShopConfig
  extends
    ConfigOf<typeof shopKeys>,
    Pick<StorefrontConfig, "session" | "cors" | "basket" | "wishlist"> {
  /** The shop's own storages. */
  readonly storage?: ShopStorageConfig | undefined;
}

/** Groups of keys of the top level. A shop can have them too, and overrides them key by key. */
export const shopGroups = {
  session: group(sessionKeys, removedSessionKeys),
  cors: group(corsKeys),
  storage: group(shopStorageKeys),
  basket: group(basketKeys),
  wishlist: group(wishlistKeys),
};

/** Groups of keys of the top level alone. */
export const serverGroups = {
  storage: group(storageKeys),
  loginAttempts: falseOr(loginAttemptsKeys),
  admin: group(adminKeys),
  devPage: group(devPageKeys),
  server: group(httpKeys),
};

/** Types a config, and returns it unchanged. */
export function defineStorefrontConfig<Methods extends RpcMethods>(
  config: StorefrontConfig<Methods>,
): StorefrontConfig<Methods> {
  return config;
}

/** The schema of a config. The message of an issue names the expected value. Rules check the keys together. */
export function createConfigSchema() {
  const expected = "a list of shops";
  const shop = objectOf({ ...shopKeys, ...shopGroups });
  const shops = z
    .array(shop, { error: expected })
    .check(z.minLength(1, { error: "one shop or more" }));
  const required = { schema: shops, expected, isRequired: true };
  return objectOf({ shops: required, ...topKeys, ...shopGroups, ...serverGroups });
}

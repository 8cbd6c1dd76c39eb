import type { Auth } from "../../rpc/accounts/auth.ts";
import type { Hooks } from "../../rpc/hooks.ts";
import type { LoginAttemptsOptions } from "../../rpc/accounts/login-limiter.ts";
import type { RpcMethods } from "../../rpc/method.ts";
import type { BasketOptions, PublicShop, WishlistOptions } from "../../rpc/shop.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { Logger } from "../../shared/log.ts";
import type { SessionSettings } from "../../storage/sessions/session-store.ts";
import type { ConfigError } from "./config-error.ts";
import type { CorsOrigin, SessionCacheConfig, ShopSelector, TokenMethod } from "./config.ts";

/** The session settings of one shop, as decided. Durations are seconds; none idle is more than `maxAge`. */
export interface SessionOptions extends SessionSettings {
  /** The whole name, shop id included. */
  readonly cookieName: string;
  readonly sameSite: "strict" | "lax" | "none";
  readonly maxAge: number;
  /** At least one; the last signs. */
  readonly secrets: readonly string[];
  readonly domain: string | undefined;
  /** At least one; the last encrypts. */
  readonly encryptionKeys: readonly string[];
  readonly secure: boolean | "auto";
  readonly partitioned: boolean;
  /** How the reference to the session travels. */
  readonly tokenMethods: readonly TokenMethod[];
  /** The response header that gives a bearer token. */
  readonly authTokenHeaderKey: string;
  /** `undefined` leaves it to the storage. */
  readonly cache: SessionCacheConfig | false | undefined;
}

/** The cross-origin rules of one shop, as decided. */
export interface CorsOptions {
  readonly origin: CorsOrigin;
  readonly credentials: boolean;
  /** `undefined`: the headers that a page asks for. */
  readonly allowedHeaders: readonly string[] | undefined;
  /** Without those that the server always exposes. */
  readonly exposedHeaders: readonly string[];
  /** Seconds. */
  readonly maxAge: number;
}

/** One shop, as decided. */
export interface Shop {
  /** What methods and frontends may see. */
  readonly public: PublicShop;
  readonly shopId: number;
  readonly isDefault: boolean;
  readonly realm: string;
  readonly session: SessionOptions;
  /** Where two shops share a storage, they hold the same object here. */
  readonly storage: { readonly session: StorageConfig; readonly basket: StorageConfig };
  readonly cors: CorsOptions;
  readonly basket: BasketOptions;
  readonly wishlist: WishlistOptions;
}

/** The effective HTTP settings of the command line. Durations are seconds. */
export interface ServerOptions {
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly maxConnections: number;
  readonly drainDelay: number;
  readonly drainTimeout: number;
}

/** The whole config, merged and checked. */
export interface StorefrontOptions {
  readonly shops: readonly Shop[];
  readonly basePath: string;
  readonly shopSelector: ShopSelector;
  readonly storage: { readonly account: StorageConfig };
  readonly methods: RpcMethods;
  readonly hooks: Hooks;
  readonly auth: Auth | undefined;
  readonly maxBodySize: number;
  /** Seconds. */
  readonly callTimeout: number;
  readonly loginAttempts: LoginAttemptsOptions | undefined;
  /** Each of them opens the admin calls; none: they are not there. */
  readonly adminTokens: readonly string[];
  readonly trustProxy: boolean | readonly string[];
  readonly publicUrl: string | undefined;
  readonly server: ServerOptions;
  readonly log: Logger;
  /** What the operator should know before going live. */
  readonly warnings: readonly string[];
  /** The error if production rejects the storages: `storefront start` throws it, and each call gets 503. */
  readonly refusal: ConfigError | undefined;
}

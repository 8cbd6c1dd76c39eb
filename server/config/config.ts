import type { Auth } from "../../rpc/accounts/auth.ts";
import type { Hooks } from "../../rpc/hooks.ts";
import type { RpcMethods } from "../../rpc/method.ts";
import type { BasketOptions, PublicShop, WishlistOptions } from "../../rpc/shop.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { Logger } from "../../shared/log.ts";
import type { TokenMethod } from "../credentials/transports.ts";
import type { SessionCacheStrategy } from "../../storage/sessions/session-cache-strategy.ts";

export type { TokenMethod };

/** Ends the user's session that was used least lately, or refuses the login. */
export type SessionLimitPolicy = "endOldest" | "refuse";

/** How many failed logins there may be before more are refused, also with the right password. */
export interface LoginAttemptsConfig {
  /** Of one account. @default 10 */
  readonly perAccount?: number | undefined;
  /** From one address; of IPv6, from one /64 network. Its registrations have a count of their own. @default 100 */
  readonly perAddress?: number | undefined;
  /** Seconds for which failures count. @default 900 */
  readonly window?: number | undefined;
}

/** What an operator may do from outside. */
export interface AdminConfig {
  /** 32 characters or more, for `Authorization: Bearer`; each token of a list is valid. @default none: no admin calls */
  readonly token?: string | readonly string[] | undefined;
}

/** How `storefront start` serves HTTP and shuts down. Durations are seconds. */
export interface ServerConfig {
  /** How long an idle connection stays open: longer than a load balancer keeps it, or it responds 502. @default 65 */
  readonly keepAliveTimeout?: number | undefined;
  /** How long a request's headers may take; also ends a connection that never carried a request. @default 65 */
  readonly headersTimeout?: number | undefined;
  /** How long a whole request may take to arrive. @default 120 */
  readonly requestTimeout?: number | undefined;
  /** The most open connections; at this number, the server closes new ones. @default 10000 */
  readonly maxConnections?: number | undefined;
  /** How long the server keeps accepting connections after SIGTERM, while `/readyz` responds 503. @default 5 in production, else 0 */
  readonly drainDelay?: number | undefined;
  /** How long open connections may then take to finish, before the server closes them. @default 10 */
  readonly drainTimeout?: number | undefined;
}

/** How sessions are cached. A cache never has the last word: see docs/sessions.md. */
export interface SessionCacheConfig {
  /** Seconds until an entry is read anew. @default 300 */
  readonly ttl?: number | undefined;
  /** The most sessions of a shop that this process keeps in mind. @default 10000 */
  readonly max?: number | undefined;
  /** Where entries are kept. @default this process */
  readonly strategy?: SessionCacheStrategy | undefined;
}

/** How a session travels and how long it lives. Durations are seconds. */
export interface SessionConfig {
  /** The cookie is called `<cookieName>-<shopId>`. @default "$session" */
  readonly cookieName?: string | undefined;
  /** @default "lax" */
  readonly sameSite?: "strict" | "lax" | "none" | undefined;
  /** Max-Age of the cookie and time to live of the record, counted from the last use. @default 86400 */
  readonly maxAge?: number | undefined;
  /** Keys of 32 characters or more: the last one signs, all of them verify. */
  readonly secret?: string | readonly string[] | undefined;
  /** Domain attribute of the cookie; absent: the host that set it. */
  readonly domain?: string | undefined;
  /** Ends a session that was not used for so long. @default `maxAge` */
  readonly idleTimeout?: number | undefined;
  /** Ends a session so long after it began, however much it is used. @default 30 days, or `maxAge` if longer */
  readonly absoluteTimeout?: number | undefined;
  /** As `idleTimeout`, for guests. @default `idleTimeout` */
  readonly guestIdleTimeout?: number | undefined;
  /** As `absoluteTimeout`, for guests. @default what `absoluteTimeout` is set to, or else none */
  readonly guestAbsoluteTimeout?: number | undefined;
  /** Gives a user's session a new id when the one it has is so old. @default 14400 */
  readonly renewAfter?: number | undefined;
  /** So long after a login, or a `reauthenticate`, methods with `requireFresh` answer. @default 300 */
  readonly freshFor?: number | undefined;
  /** The most sessions that a user may have at a time, in all shops of the realm together. @default 50 */
  readonly maxSessionsPerUser?: number | undefined;
  /** What a login does that would exceed `maxSessionsPerUser`. @default "endOldest" */
  readonly sessionLimitPolicy?: SessionLimitPolicy | undefined;
  /** Keys of 32 characters or more for tokens kept in sessions: the last encrypts, all decrypt. @default `secret` */
  readonly encryptionKeys?: string | readonly string[] | undefined;
  /** Secure attribute of the cookie; `auto`: where the call came by HTTPS. @default "auto" */
  readonly secure?: boolean | "auto" | undefined;
  /** Partitioned attribute of the cookie (CHIPS). @default false */
  readonly partitioned?: boolean | undefined;
  /** Cookies for browsers, bearer tokens where cookies cannot go, or both. @default "cookie" */
  readonly tokenMethod?: TokenMethod | readonly TokenMethod[] | undefined;
  /** The response header that gives a bearer token. @default "storefront-auth-token" */
  readonly authTokenHeaderKey?: string | undefined;
  /** `false` for none. @default on with Redis and memory, off elsewhere */
  readonly cache?: SessionCacheConfig | false | undefined;
}

/** Which pages of other origins may call, and what they may read. */
export interface CorsConfig {
  /** Patterns must match the whole origin. @default none: pages of the server's own origin only */
  readonly origin?: CorsOrigin | undefined;
  /** Whether cookies travel. @default true */
  readonly credentials?: boolean | undefined;
  /** Headers that pages can send, in addition to our own. @default those that an allowed page asks for */
  readonly allowedHeaders?: readonly string[] | undefined;
  /** Headers that a page can read, in addition to the bearer token's, `Retry-After`, and `Storefront-Response`. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Seconds that a browser may remember a preflight. @default 600 */
  readonly maxAge?: number | undefined;
}

/** Origins as a browser writes them (`https://shop.example`), patterns of them, or a function. */
export type CorsOrigin =
  | readonly (string | RegExp)[]
  | ((origin: string, shop: PublicShop) => boolean);

/** What a shop may store elsewhere than the others. */
export interface ShopStorageConfig {
  /** Sessions, and the index of each user's. @default memory */
  readonly session?: StorageConfig | undefined;
  /** Baskets and wishlists. @default where the sessions are */
  readonly basket?: StorageConfig | undefined;
}

/** One storefront. */
export interface ShopConfig extends Omit<PublicShop, "host"> {
  /** Host names, with a port or without; `*.shop.example` for every host below `shop.example`. */
  readonly host?: string | readonly string[] | undefined;
  /** Served where no path is given and `shopSelector` is `path_or_default`. @default the first shop */
  readonly isDefault?: boolean | undefined;
  /** Shops of one realm share customer accounts. @default "default" */
  readonly realm?: string | undefined;
  /** Wins key by key over the global `session`. */
  readonly session?: SessionConfig | undefined;
  readonly storage?: ShopStorageConfig | undefined;
  /** Wins key by key over the global `cors`. */
  readonly cors?: CorsConfig | undefined;
  readonly basket?: Partial<BasketOptions> | undefined;
  readonly wishlist?: Partial<WishlistOptions> | undefined;
}

/** How a call that has no `x-shop-id` header finds its shop. */
export type ShopSelector = "path" | "domain" | "path_or_default";

/** What an operator writes in `storefront.config.ts`. */
export interface StorefrontConfig<Methods extends RpcMethods = RpcMethods> {
  readonly shops: readonly ShopConfig[];
  /** Where the methods lie: `<basePath>/rpc/<method>`. @default "/api" */
  readonly basePath?: string | undefined;
  /** @default "path_or_default" */
  readonly shopSelector?: ShopSelector | undefined;
  /** Defaults of all shops. */
  readonly session?: SessionConfig | undefined;
  readonly storage?:
    | (ShopStorageConfig & {
        /** Accounts of the embedded `auth`. @default where the baskets are */
        readonly account?: StorageConfig | undefined;
        /**
         * Whether only one process uses the storages. In production, drivers other than Redis need it, because they
         * are atomic within one process only. @default false
         */
        readonly singleProcess?: boolean | undefined;
        /**
         * Whether lost writes and stale data are acceptable. In production, drivers that aren't atomic need it, for
         * example Cloudflare KV. @default false
         */
        readonly lossy?: boolean | undefined;
      })
    | undefined;
  readonly cors?: CorsConfig | undefined;
  readonly basket?: Partial<BasketOptions> | undefined;
  readonly wishlist?: Partial<WishlistOptions> | undefined;
  /** Own methods, beside the built-in ones or, by the same name, in their place. */
  readonly methods?: Methods | undefined;
  readonly hooks?: Hooks | undefined;
  /** Who knows the customers. @default accounts kept in `storage.account` */
  readonly auth?: Auth | undefined;
  /** The most bytes a request body may have. @default 100000 */
  readonly maxBodySize?: number | undefined;
  /** Seconds until a call is given up: its signal aborts, and it is answered with 504. @default 30 */
  readonly callTimeout?: number | undefined;
  /** `false` for no limit. @default {} */
  readonly loginAttempts?: LoginAttemptsConfig | false | undefined;
  /** @default none: the admin calls are not there */
  readonly admin?: AdminConfig | undefined;
  /**
   * Proxies whose `X-Forwarded-*` headers are trusted: addresses, ranges (`10.0.0.0/8`), or the names `loopback`,
   * `linklocal` and `uniquelocal`; `true` trusts every peer. @default false
   */
  readonly trustProxy?: boolean | readonly string[] | undefined;
  /** The URL that browsers see, for example `https://shop.example`, if a proxy rewrites `Host`. @default none */
  readonly publicUrl?: string | undefined;
  /** For `storefront start` and `storefront dev`; your own server has settings of its own. */
  readonly server?: ServerConfig | undefined;
  /** @default lines on standard output and standard error */
  readonly log?: Logger | undefined;
}

/** Types a config; returns it as it is. */
export function defineStorefrontConfig<Methods extends RpcMethods>(
  config: StorefrontConfig<Methods>,
): StorefrontConfig<Methods> {
  return config;
}

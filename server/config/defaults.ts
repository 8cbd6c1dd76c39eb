import type { Auth } from "../../rpc/accounts/auth.ts";
import type { Hooks } from "../../rpc/hooks.ts";
import type { LoginAttemptsOptions } from "../../rpc/accounts/login-limiter.ts";
import type { RpcMethods } from "../../rpc/method.ts";
import type { BasketOptions, WishlistOptions } from "../../rpc/shop.ts";
import type { Logger } from "../../shared/log.ts";
import type { SessionConfig, ShopSelector } from "./config.ts";
import type { CorsOptions, ServerOptions } from "./options.ts";

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
  allowedHeaders: undefined,
  exposedHeaders: [],
  maxAge: 600,
};

export const basketDefaults: BasketOptions = {
  mergeStrategy: "merge",
  maxItems: 100,
  maxQuantity: 1000,
};

export const wishlistDefaults: WishlistOptions = { maxItems: 200 };

/** For production; development doesn't wait for a load balancer. */
export const httpDefaults: ServerOptions = {
  keepAliveTimeout: 65,
  // Some load balancers open connections ahead of time, and send nothing on them for a minute.
  headersTimeout: 65,
  requestTimeout: 120,
  maxConnections: 10_000,
  drainDelay: 5,
  drainTimeout: 10,
};

/** The settings of the whole server. */
export interface ServerDefaults {
  readonly basePath: string;
  readonly shopSelector: ShopSelector;
  readonly methods: RpcMethods;
  readonly hooks: Hooks;
  readonly auth: Auth | undefined;
  readonly maxBodySize: number;
  readonly callTimeout: number;
  readonly trustProxy: boolean | readonly string[];
  readonly publicUrl: string | undefined;
  readonly log: Logger | undefined;
}

export const serverDefaults: ServerDefaults = {
  basePath: "/api",
  shopSelector: "path_or_default",
  methods: {},
  hooks: {},
  auth: undefined,
  maxBodySize: 100_000,
  callTimeout: 30,
  trustProxy: false,
  publicUrl: undefined,
  log: undefined,
};

/**
 * For servers and configs.
 * @module storefront-core
 */

// Config
export { defineStorefrontConfig } from "./config/config.ts";
export type { ServerConfig, ShopConfig, StorefrontConfig } from "./config/config.ts";
export type { AdminConfig, LoginAttemptsConfig } from "./config/keys/server-keys.ts";
export type { CorsConfig, CorsOrigin } from "./config/keys/cors-keys.ts";
export type {
  SessionCacheConfig,
  SessionConfig,
  SessionLimitPolicy,
  SessionTransportName,
  TokenMethod,
} from "./config/keys/session-keys.ts";
export type { LogConfig } from "./config/keys/log-key.ts";
export type { ShopSelector } from "./config/keys/top-keys.ts";
export type { ShopStorageConfig } from "./config/keys/storage-keys.ts";
export type { StorageConfig } from "../storage/documents/driver.ts";
export { ConfigError, type ConfigFault } from "./config/config-error.ts";

// Server
export type { Clock, Timer } from "../storage/clock.ts";
export type { Random } from "../storage/random.ts";
export { createStorefront, type StorefrontSettings } from "./storefront.ts";
export type { Storefront } from "./storefront-app.ts";
export { isStorefrontPath } from "./url-path.ts";
export { createCallerFetch, createRpcCaller, respondWithCaller } from "./rpc-caller.ts";
export type { RpcCaller, RpcCallerOptions, RpcCallerState } from "./rpc-caller.ts";
export type {
  CorsOptions,
  ServerOptions,
  SessionOptions,
  Shop,
  StorefrontOptions,
} from "./config/options.ts";
export type { LoginAttemptsOptions } from "../rpc/accounts/login-limiter.ts";
export type { StoreInfo } from "./services.ts";

// Telemetry
export type {
  CallSpan,
  MetricData,
  MetricsSnapshot,
  MetricsSource,
  MetricValue,
  ProcessState,
  Telemetry,
} from "./telemetry.ts";
export type { ObservedCall, Observer, SessionState } from "./observer.ts";
export type { TraceIds } from "../rpc/trace-ids.ts";
export type {
  SessionEvent,
  SessionReason,
  StorageOperation,
  StorageOutcome,
} from "../storage/storage-observer.ts";

// RPC methods
export { defineRpcMethod } from "../rpc/define-method.ts";
export type { DefinedMethod, RpcMethodDefinition } from "../rpc/define-method.ts";
export type { Access, RpcMethod, RpcMethods, Verb } from "../rpc/method.ts";
export type {
  BaseRpcContext,
  ContextSessions,
  Device,
  LoginOptions,
  PublicRpcContext,
  RpcContext,
  RpcContext as RPCContext,
  UserRpcContext,
} from "../rpc/context.ts";
export type { Cached, CachedResult, CacheSource } from "../rpc/cache/cached.ts";
export { secret } from "../rpc/redaction/secret.ts";
export { RpcError } from "../rpc/error.ts";
export type { Issue, ProblemCode, RpcErrorOptions } from "../rpc/error.ts";
export type { HookEvent, Hooks } from "../rpc/hooks.ts";
export type {
  ObtainTokensOptions,
  RenewTokens,
  SessionTokens,
} from "../rpc/session/token-renewals.ts";
export type { MergeReport } from "../rpc/lists/transfer.ts";
export type { BuiltinMethods } from "../rpc/methods/builtin.ts";
/** Result types contain it, so a program that infers a result type must be able to name it. */
export type { JsonValue } from "type-fest";

// Shops, baskets and wishlists
export type { PublicShop } from "../rpc/shop.ts";
export type { BasketOptions, MergeStrategy } from "../rpc/lists/basket-limits.ts";
export type { Basket, BasketView } from "../rpc/lists/basket.ts";
export type {
  BasketItem,
  BasketLine,
  CustomData,
  MergedLine,
  ProductReference,
} from "../rpc/lists/basket-line.ts";
export type {
  Wish,
  Wishlist,
  WishlistItem,
  WishlistOptions,
  WishlistView,
} from "../rpc/lists/wishlist.ts";

// Commerce systems
export { defineCommerceMethod } from "../rpc/commerce/commerce-method.ts";
export type { CommerceMethodDefinition } from "../rpc/commerce/commerce-method.ts";
export type { CommerceMethods } from "../rpc/commerce/commerce-methods.ts";
export type {
  BasketOutcome,
  Baskets,
  BasketTarget,
  CommerceBackend,
  CommerceBasket,
  CommerceLine,
  CommerceWish,
  CommerceWishlist,
  Grants,
  Shortage,
  Wishlists,
  WishTarget,
} from "../rpc/commerce/commerce-backend.ts";
export type { Grant, GrantedVisit, LoginVisit, Visit } from "../rpc/commerce/visit.ts";

// Customers
export type {
  Auth,
  ContextAuth,
  Credentials,
  Profile,
  Registration,
} from "../rpc/accounts/auth.ts";
export type { Mailer, MailMessage, NoticeMail, TokenMail } from "../rpc/accounts/mailer.ts";
export type { SessionCustomData, ShopUser } from "../storage/sessions/session-record.ts";
export { detailsFirst, type DetailsFirstLogger, type Logger } from "../shared/log.ts";

/**
 * For servers and configs.
 * @module storefront-core
 */

// Config
export { defineStorefrontConfig } from "./config.ts";
export type {
  AdminConfig,
  CorsConfig,
  CorsOrigin,
  LoginAttemptsConfig,
  SessionCacheConfig,
  SessionConfig,
  ServerConfig,
  SessionLimitPolicy,
  ShopConfig,
  ShopSelector,
  ShopStorageConfig,
  TokenMethod,
  StorefrontConfig,
} from "./config.ts";
export type { StorageConfig } from "../storage/driver.ts";
export { ConfigError } from "./config-error.ts";
export type { ConfigFault } from "./config-error.ts";

// Server
export { createStorefront } from "./app.ts";
export type { Storefront } from "./app.ts";
export type {
  CorsOptions,
  ServerOptions,
  SessionOptions,
  Shop,
  StorefrontOptions,
} from "./options.ts";
export type { LoginAttemptsOptions } from "../rpc/login-attempts.ts";
export type { StoreDescription } from "./backends.ts";

// RPC methods
export { defineRpcMethod } from "../rpc/method.ts";
export type { Access, RpcMethod, RpcMethodDefinition, RpcMethods } from "../rpc/method.ts";
export type { PublicRPCContext, RPCContext, UserRPCContext } from "../rpc/context.ts";
export { secret } from "../rpc/secret.ts";
export { RpcError } from "../rpc/error.ts";
export type { Fault, ProblemCode, RpcErrorOptions } from "../rpc/error.ts";
export type { HookedCall, Hooks } from "../rpc/hooks.ts";
export type { LoginOptions } from "../rpc/context.ts";
export type { SessionTokens } from "../rpc/session-tokens.ts";
export type { MergeReport } from "../rpc/merge.ts";
export type { Device } from "../rpc/device.ts";
export type { BuiltinMethods } from "../rpc/builtin.ts";
/** Types of answers are made of it, so a program that infers one must be able to name it. */
export type { JsonValue } from "type-fest";

// Shops and what visitors have in them
export type { BasketOptions, MergeStrategy, PublicShop, WishlistOptions } from "../rpc/shop.ts";
export type {
  BasketItem,
  BasketView,
  CustomData,
  MergedLine,
  ProductReference,
} from "../rpc/basket.ts";
export type { Wish, WishlistItem, WishlistView } from "../rpc/wishlist.ts";

// Customers
export type { Auth, AuthContext, Credentials, Profile, Registration } from "../rpc/auth.ts";
export type {
  SessionCustomData,
  SessionTransportName,
  ShopUser,
} from "../storage/session-record.ts";
export type { Logger } from "../storage/log.ts";
export { detailsFirst, type DetailsFirstLogger } from "../storage/details-first.ts";

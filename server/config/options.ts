import type { LoginAttemptsOptions } from "../../rpc/accounts/login-limiter.ts";
import type { CommerceBackend } from "../../rpc/commerce/commerce-backend.ts";
import type { BasketOptions } from "../../rpc/lists/basket-limits.ts";
import type { WishlistOptions } from "../../rpc/lists/wishlist.ts";
import type { PublicShop } from "../../rpc/shop.ts";
import type { Logger } from "../../shared/log.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { ConfigError } from "./config-error.ts";
import type { corsKeys } from "./keys/cors-keys.ts";
import type { Effective } from "./keys/config-key.ts";
import type { httpKeys } from "./keys/server-keys.ts";
import type { sessionKeys, TokenMethod } from "./keys/session-keys.ts";
import type { topKeys } from "./keys/top-keys.ts";

/** The effective session keys of a shop. Durations are seconds; no idle timeout is longer than `maxAge`. */
export interface SessionOptions extends Omit<
  Effective<typeof sessionKeys>,
  "secret" | "encryptionKeys" | "tokenMethod"
> {
  /** The whole name, with the shop's ID. */
  readonly cookieName: string;
  /** One or more; the last one signs. */
  readonly secrets: readonly string[];
  /** One or more; the last one encrypts. */
  readonly encryptionKeys: readonly string[];
  /** How the reference to the session travels. */
  readonly tokenMethods: readonly TokenMethod[];
}

/** The effective cross-origin keys of a shop, without the headers that the server always exposes. */
export interface CorsOptions extends Effective<typeof corsKeys> {}

/** The effective config of a shop. */
export interface Shop {
  /** The part that methods and frontends can see. */
  readonly public: PublicShop;
  readonly shopId: number;
  readonly isDefault: boolean;
  readonly realm: string;
  readonly commerce: CommerceBackend | undefined;
  readonly session: SessionOptions;
  /** Shops that share a storage have the same object here. */
  readonly storage: { readonly session: StorageConfig; readonly basket: StorageConfig };
  readonly cors: CorsOptions;
  readonly basket: BasketOptions;
  readonly wishlist: WishlistOptions;
}

/** The effective HTTP keys of the command line. Durations are seconds. */
export interface ServerOptions extends Effective<typeof httpKeys> {}

/** The effective config, checked. */
export interface StorefrontOptions extends Omit<Effective<typeof topKeys>, "log" | "commerce"> {
  readonly shops: readonly Shop[];
  readonly storage: { readonly account: StorageConfig };
  readonly loginAttempts: LoginAttemptsOptions | undefined;
  /** Each of them allows the admin calls. Without a token, there are none. */
  readonly adminTokens: readonly string[];
  /** Whether there is a development page, and the tokens that open it. */
  readonly devPage: {
    /** The reason why there is none. */
    readonly off: "production" | "several processes" | undefined;
    /** Without a token, the page needs none. */
    readonly tokens: readonly string[];
  };
  readonly server: ServerOptions;
  readonly log: Logger;
  /** Whether the log is the default one, which writes to standard output and standard error. */
  readonly isDefaultLog: boolean;
  /** The calls that get a log line: see `LogConfig`. `undefined`: none. `slowerThan` is in seconds. */
  readonly callLog:
    | { readonly calls: "all" | "errors" | "slow"; readonly slowerThan: number }
    | undefined;
  /** The warnings that the start prints. */
  readonly warnings: readonly string[];
  /** The error if production rejects the storages: `storefront start` throws it, and each call gets 503. */
  readonly refusal: ConfigError | undefined;
}

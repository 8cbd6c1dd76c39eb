import type { Logger } from "../shared/log.ts";
import type { SessionCustomData, ShopUser } from "../storage/sessions/session-record.ts";
import type { ContextAuth } from "./accounts/auth.ts";
import type { Cached } from "./cache/cached.ts";
import type { BasketOptions } from "./lists/basket-limits.ts";
import type { Basket, BasketView } from "./lists/basket.ts";
import type { MergeReport } from "./lists/transfer.ts";
import type { Wishlist, WishlistOptions, WishlistView } from "./lists/wishlist.ts";
import type { ObtainTokensOptions, RenewTokens, SessionTokens } from "./session/token-renewals.ts";
import type { PublicShop } from "./shop.ts";

/** Options of a login. */
export interface LoginOptions {
  /** With `false`, the browser deletes the cookie when it closes. @default true */
  readonly rememberMe?: boolean | undefined;
  /**
   * Names the session for `context.sessions.endLabeled`, for example by the `sid` of an identity provider. 1 to 256
   * characters. No client sees it.
   */
  readonly label?: string | undefined;
}

/** The device that a user agent names. */
export interface Device {
  /** For example `Firefox`. */
  readonly browser?: string | undefined;
  /** For example `Android`. */
  readonly os?: string | undefined;
  /** For example `mobile`, `tablet`, or `desktop`. */
  readonly type?: string | undefined;
}

/**
 * The functions of `context.sessions`: they list, end, and rotate the sessions of users. They throw
 * StorageUnavailableError, and TypeError for an invalid ID. If an ID is merely too long, they find no session.
 */
export interface ContextSessions {
  /** Lists a user's sessions in all shops of the realm, the last used first. None can be used as a login. */
  list(userId: string | number): Promise<
    {
      handle: string;
      shopId: number;
      createdAt: number;
      lastSeenAt: number;
      transport: string | undefined;
      device: Device;
      userAgent: string | undefined;
      current: boolean;
    }[]
  >;
  /** Ends one of a user's sessions. @returns whether the user has a session with this handle */
  end(userId: string | number, handle: string): Promise<boolean>;
  /**
   * Ends those of a user's sessions whose login had this `label`, in every shop of the realm: for example after the
   * back-channel logout of an identity provider (OpenID Connect Back-Channel Logout 1.0).
   * @returns the number of ended sessions
   */
  endLabeled(userId: string | number, label: string): Promise<number>;
  /**
   * Ends a user's sessions like `destroySessionsForUserId`, and also returns whether that is complete: if the user's
   * index was lost, some sessions can stay active.
   */
  endAll(
    userId: string | number,
    sessionsToKeep?: readonly string[],
  ): Promise<{ readonly ended: number; readonly isComplete: boolean }>;
  /**
   * Gives the user's session a new ID, for example after a change of rights; a guest's session keeps its ID.
   * @param change `fresh`: the user has just authenticated again, so methods with `requireFresh` accept the login
   */
  rotate(change?: { readonly fresh?: boolean }): Promise<void>;
}

/** The properties of every context: those that need no session. */
export interface BaseRpcContext {
  readonly shop: PublicShop;
  /**
   * Calls another method within this call: same shop, same session, no HTTP. A public method gets a copy of the
   * payload, and can call other public methods only.
   * @throws RpcError `unknown_method`, `not_logged_in`, `invalid_input`; and any error of the method
   */
  callRpc<Output = unknown>(method: string, payload?: unknown): Promise<Output>;
  /**
   * Makes the values of `cached` that have one of these tags invalid, in this shop: in this process immediately, in
   * others within a second. Call it after the change.
   * @throws TypeError if a tag isn't a string of 1 to 128 characters; StorageUnavailableError
   */
  invalidate(tags: readonly string[]): Promise<void>;
  /**
   * Sets a header of the response; `set-cookie` adds a cookie, except session cookies of the server. A failed call has
   * none of these headers. Caches obey `cache-control` only in a GET of a public method whose shop the URL chose.
   * @throws TypeError if the name or the value is invalid, or if only the server sets the header, for example
   * `content-type`
   */
  setHeader(name: string, value: string): void;
  readonly log: Logger;
  /** The client's IP address. The server believes a proxy's header only with `trustProxy`. */
  readonly ip: string | undefined;
  /** The request's headers, without those that carry credentials. */
  readonly headers: Headers;
  /** Aborts if the client disconnects, or if the call takes too long (a TimeoutError). */
  readonly signal: AbortSignal;
  /**
   * Returns a context with more fields, or with other values for known ones. All others stay live, for example `user`.
   * A spread is a snapshot, and begins a session for a guest, because it reads `basketKey`.
   */
  with<Extra extends object>(extra: Extra): this & Extra;
}

/** The context of a `public` method. */
export interface PublicRpcContext extends BaseRpcContext {
  /** See {@link Cached}. Only public methods have it, so nothing that depends on a login gets into the cache. */
  readonly cached: Cached;
}

/** The context of a method with a session. It holds no secret, token, or cookie. */
export interface RpcContext extends BaseRpcContext {
  /** The ID of the session; `undefined` for a visitor without a session. */
  readonly sessionId: string | undefined;
  /** The logged-in user, with the changes of this call. */
  readonly user: ShopUser | undefined;
  /**
   * Changes the user in the session, at the end of the call. Parallel calls that change different fields keep them
   * all. For a guest it is a login, like `createUserBoundSession`.
   * @throws TypeError if the user has no valid ID, or if JSON would change or drop a part of it, for example a `Map`
   */
  updateUser(user: ShopUser): void;
  /**
   * Logs a user in: gives the session a new ID, and merges the guest's basket and wishlist into the user's. The old ID
   * is invalid immediately.
   * @throws TypeError as `updateUser`
   */
  createUserBoundSession(user: ShopUser, options?: LoginOptions): Promise<MergeReport>;
  /** Ends this session: logs a user out, or removes a guest's basket and wishlist. */
  destroySession(): Promise<void>;
  /**
   * Ends a user's sessions in every shop of the realm, on every server.
   * @param sessionsToKeep IDs of sessions that stay active, for example `[context.sessionId]`
   * @returns the number of ended sessions
   * @throws TypeError for an invalid ID, for example a whole user. A string that is merely too long ends nothing
   */
  destroySessionsForUserId(
    userId: string | number,
    sessionsToKeep?: readonly string[],
  ): Promise<number>;
  /** Lists, ends, and rotates the sessions of users. */
  readonly sessions: ContextSessions;
  /** Checks and changes the customers' accounts, within the limits of `loginAttempts`. */
  readonly auth: ContextAuth;
  /** The deployment's own data in the session, with the changes of this call. */
  readonly customData: Readonly<Partial<SessionCustomData>>;
  /**
   * Sets fields of `customData` at the end of the call; `undefined` removes a field.
   * @throws RpcError `limit_reached` if the JSON of all fields is longer than 16,384 characters; TypeError if JSON would
   * change or drop a part, for example a `Map`
   */
  updateCustomData(patch: Partial<SessionCustomData>): void;
  /** Reads the visitor's tokens of a commerce system, with the changes of this call. */
  readTokens(): Promise<SessionTokens | undefined>;
  /**
   * Stores tokens in the session, encrypted, at the end of the call; `undefined` removes them. A login and a logout
   * remove them too, so set the tokens of a new user after the login.
   * @throws RpcError `limit_reached` if their JSON is longer than 16 KiB; TypeError if JSON would change or drop a part
   */
  updateTokens(tokens: SessionTokens | undefined): void;
  /**
   * Returns tokens that are valid for another second. If there are none, `renew` gets them: once for all parallel calls
   * of the session on all servers. They are stored immediately, also if the client leaves.
   * @throws RpcError `session_ended` if `renew` returns `undefined`: the session ends. For a guest `not_logged_in`, and
   * the session stays. Any error of `renew`, which ends nothing.
   */
  obtainTokens(renew: RenewTokens, options?: ObtainTokensOptions): Promise<SessionTokens>;
  /** The key of the visitor's basket. Reading it begins a session for a guest without one. */
  readonly basketKey: string;
  /** The key of the visitor's wishlist. Reading it begins a session for a guest without one. */
  readonly wishlistKey: string;
  /**
   * Reads the visitor's basket. The result is that of `getBasket`. If a commerce system has the baskets, give the type of
   * its basket: `readBasket<VendureBasket>()`.
   */
  readBasket<B = BasketView>(): Promise<{ readonly basket: B }>;
  /**
   * Changes the visitor's basket atomically, and immediately. A change begins a session for a guest without one.
   * @param rule returns the changed basket, or `basket` itself if nothing changes. It can run several times, so it
   * must have no effects. `now` is the server's time, in epoch milliseconds. `createKey` makes the key of a new item,
   * another one in each run. The server counts up `revision`.
   * @param condition `revision`: rejects the change if the basket has another revision. The call's first change also
   * checks the header `If-Match`.
   * @returns the result of `getBasket`, after the change
   * @throws RpcError `basket_changed`; TypeError if `rule` returns an invalid basket; Error if the baskets are in a
   * commerce system; and any error of `rule`
   */
  changeBasket(
    rule: (basket: Basket, options: BasketOptions, now: number, createKey: () => string) => Basket,
    condition?: { readonly revision?: number | undefined },
  ): Promise<{ readonly basket: BasketView }>;
  /** Reads the visitor's wishlist. The result is that of `getWishlist`; give the type as for `readBasket`. */
  readWishlist<W = WishlistView>(): Promise<{ readonly wishlist: W }>;
  /** Changes the visitor's wishlist, as `changeBasket` does. */
  changeWishlist(
    rule: (
      wishlist: Wishlist,
      options: WishlistOptions,
      now: number,
      createKey: () => string,
    ) => Wishlist,
  ): Promise<{ readonly wishlist: WishlistView }>;
}

/** The context of a `user` method. */
export interface UserRpcContext extends RpcContext {
  readonly user: ShopUser;
}

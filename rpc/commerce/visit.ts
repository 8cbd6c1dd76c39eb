import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Logger } from "../../shared/log.ts";
import type { PublicShop } from "../shop.ts";

/** The credentials that the commerce system issued for one visitor: tokens, the ID of a cart, any JSON. They are stored encrypted. */
export interface Grant {
  /** When it must be renewed, in epoch milliseconds. @default never */
  readonly expiresAt?: number | undefined;
}

/** The visitor for whom a function of a backend runs, and the means to reach the commerce system. */
export interface Visit<G extends Grant = Grant> {
  readonly shop: PublicShop;
  /** The name of the set of shops that share the customer's account. */
  readonly realm: string;
  /** The logged-in user; `undefined` for a guest. */
  readonly user: ShopUser | undefined;
  /** The visitor's grant of the commerce system; `undefined`: there is none. */
  readonly grant: G | undefined;
  /**
   * The lasting key of the visitor's basket, for systems in which the caller names a basket. In the functions of
   * `wishlists`, it is the key of the wishlist.
   */
  readonly basketKey: string;
  /**
   * Calls the commerce system, within the backend's `timeout`.
   * @throws RpcError `commerce_unavailable` if the system doesn't respond, or responds with a status of 500 or more
   */
  readonly fetch: typeof globalThis.fetch;
  readonly log: Logger;
  /** The client's IP address, by the rules of `trustProxy`. */
  readonly ip: string | undefined;
  /** Aborts if the client disconnects, or if the call takes too long (a TimeoutError). */
  readonly signal: AbortSignal;
}

/** A visit that has a grant. */
export interface GrantedVisit<G extends Grant = Grant> extends Visit<G> {
  readonly grant: G;
}

/** The visit of a login or a registration, which can receive a grant for the user. */
export interface LoginVisit<G extends Grant = Grant> extends Visit<G> {
  /**
   * Stores the grant of the user who logs in, for the session that the login begins. If no session begins, it ends in the
   * system. The guest's grant is another one, and not changed.
   */
  setGrant(grant: G): void;
}

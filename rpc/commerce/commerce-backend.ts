import type { Auth } from "../accounts/auth.ts";
import type { CustomData, ProductReference } from "../lists/basket-line.ts";
import type { RpcMethods } from "../method.ts";
import type { Grant, GrantedVisit, Visit } from "./visit.ts";

/**
 * A commerce system behind the storefront. Each part is optional: the storefront itself replaces a missing one. The
 * functions only send requests and convert the results. docs/commerce-adapter.md has the rules for each.
 */
export interface CommerceBackend<
  G extends Grant = Grant,
  B extends CommerceBasket = CommerceBasket,
  W extends CommerceWishlist = CommerceWishlist,
  M extends RpcMethods = RpcMethods,
> {
  /** For logs and health checks, for example `vendure`. */
  readonly name: string;
  /** Seconds after which a request to the system fails. Less than 10. @default 5 */
  readonly timeout?: number | undefined;
  /**
   * Tries whether the system responds, by a request that needs no visitor. `storefront doctor` calls it.
   * @throws any error if the system doesn't respond as it should
   */
  check?(connection: Pick<Visit<G>, "shop" | "fetch">): Promise<void>;
  readonly grants?: Grants<G> | undefined;
  readonly accounts?: Auth<G> | undefined;
  readonly baskets?: Baskets<G, B> | undefined;
  readonly wishlists?: Wishlists<G, W> | undefined;
  /** Methods of this system, for example for checkout, made by `defineCommerceMethod` or `defineRpcMethod`. */
  readonly methods?: M | undefined;
}

/** How a visitor's grant begins, is renewed, and ends: once each for all parallel calls on all servers. */
export interface Grants<G extends Grant> {
  /**
   * Begins a guest's grant. Without this function, guests have none. If the backend has no `accounts`, it also begins
   * those of users.
   */
  begin?(visit: Visit<G>): Promise<G>;
  /** @returns `undefined` if the system rejects the grant: the session ends. A thrown error ends nothing. */
  renew?(visit: GrantedVisit<G>): Promise<G | undefined>;
  /** Ends the grant, because the session has ended. It is repeated until it succeeds, so it can run twice. */
  end?(visit: GrantedVisit<G>): Promise<void>;
  /** Whether `end` ends all sessions that the user has in the system. It then runs for the user's last session only. */
  readonly endsAll?: boolean | undefined;
  /** Seconds after which an unused grant ends in the system by itself. If sessions live longer, expired ones need no `end`. */
  readonly lifetime?: number | undefined;
}

/** Baskets in the commerce system. */
export interface Baskets<G extends Grant, B extends CommerceBasket> {
  /** Reads the visitor's basket; an empty one if there is none. */
  read(visit: Visit<G>): Promise<B>;
  /**
   * Brings lines to quantities; 0 removes a line. Two runs with the same targets have the same effect as one.
   * @param change `seen`: the basket as it was read just before
   */
  set(
    change: { readonly targets: readonly BasketTarget[]; readonly seen: B },
    visit: Visit<G>,
  ): Promise<BasketOutcome<B>>;
  /** Applies a coupon code. @throws RpcError with the reason of the system */
  addCode?(code: string, visit: Visit<G>): Promise<B>;
  removeCode?(code: string, visit: Visit<G>): Promise<B>;
  /**
   * Whether the system itself joins a guest's basket into the user's when the guest's grant logs in. Otherwise the
   * storefront moves the lines after the login.
   */
  readonly joinsAtLogin?: boolean | undefined;
}

/** A basket as the commerce system has it, with further fields for the page: totals, coupons, and others. */
export interface CommerceBasket {
  readonly items: readonly CommerceLine[];
}

/** A line of a basket, with further fields for the page: product, price, stock, and others. */
export interface CommerceLine {
  readonly key: string;
  readonly variantId: ProductReference;
  readonly quantity: number;
  readonly customData?: CustomData | undefined;
}

/** The quantity that a line must have. Lines with different `customData` are different lines. */
export interface BasketTarget {
  readonly variantId: ProductReference;
  readonly quantity: number;
  readonly customData?: CustomData | undefined;
}

export interface BasketOutcome<B extends CommerceBasket = CommerceBasket> {
  readonly basket: B;
  /** The targets that the system didn't reach, for example because of its stock. @default none */
  readonly short?: readonly Shortage[] | undefined;
}

/** A target that the system didn't reach. */
export interface Shortage {
  readonly variantId: ProductReference;
  /** For example `out_of_stock`. */
  readonly reason: string;
  /** The quantity that the line has instead. */
  readonly quantity: number;
}

/** Wishlists in the commerce system. */
export interface Wishlists<G extends Grant, W extends CommerceWishlist> {
  read(visit: Visit<G>): Promise<W>;
  /** Adds and removes items. Two runs with the same targets have the same effect as one. */
  set(
    change: { readonly targets: readonly WishTarget[]; readonly seen: W },
    visit: Visit<G>,
  ): Promise<W>;
  /** The same as `joinsAtLogin` of baskets. */
  readonly joinsAtLogin?: boolean | undefined;
}

export interface CommerceWishlist {
  readonly items: readonly CommerceWish[];
}

/** An item has a variant or a product, and further fields for the page. */
export interface CommerceWish {
  readonly key: string;
  readonly variantId?: ProductReference | undefined;
  readonly productId?: ProductReference | undefined;
}

export interface WishTarget extends Omit<CommerceWish, "key"> {
  readonly isWanted: boolean;
}

import type { RpcMethod, RpcMethods } from "../method.ts";
import type { BuiltinMethods } from "../methods/builtin.ts";
import type { Revised } from "./basket-revision.ts";
import type {
  BasketOutcome,
  CommerceBackend,
  CommerceBasket,
  CommerceWishlist,
} from "./commerce-backend.ts";
import { commerceWishlistMethods } from "./commerce-wishlist-methods.ts";
import { commerceBasketMethods, couponMethods } from "./commerce-basket-methods.ts";

/**
 * The methods of a shop with this backend, for `createRpcClient`. The baskets in their results have the type of the
 * backend.
 *
 * @example
 * const backend = vendure({ url: "…" });
 * const rpc = createRpcClient<CommerceMethods<typeof backend>>({ … });
 */
export type CommerceMethods<Backend> = Omit<
  BuiltinMethods,
  keyof BasketMethodsOf<Backend> | keyof WishlistMethodsOf<Backend> | keyof MethodsOf<Backend>
> &
  Omit<BasketMethodsOf<Backend> & WishlistMethodsOf<Backend>, keyof MethodsOf<Backend>> &
  MethodsOf<Backend>;

/** The methods of a shop with a backend, which replace built-in ones. */
export function createCommerceMethods({
  baskets,
  wishlists,
  methods,
}: CommerceBackend): RpcMethods {
  const { addCouponCode, removeCouponCode } = couponMethods;
  return {
    ...(baskets && commerceBasketMethods),
    ...(baskets?.addCode && { addCouponCode }),
    ...(baskets?.removeCode && { removeCouponCode }),
    ...(wishlists && commerceWishlistMethods),
    ...methods,
  } as RpcMethods;
}

// --- Internal helpers ---

type BasketMethods = typeof commerceBasketMethods & typeof couponMethods;

/** The methods of baskets with this type. */
type BasketMethodsWith<B extends CommerceBasket> = {
  readonly [Name in keyof BasketMethods]: BasketMethods[Name] extends RpcMethod<
    infer Payload,
    unknown,
    infer Input,
    infer Context
  >
    ? RpcMethod<
        Payload,
        Name extends "getBasket" | keyof typeof couponMethods
          ? { readonly basket: Revised<B> }
          : BasketOutcome<Revised<B>>,
        Input,
        Context
      >
    : never;
};

type BasketMethodsOf<Backend> = Backend extends {
  readonly baskets?: { read(...args: never): Promise<infer B extends CommerceBasket> } | undefined;
}
  ? // The basket of a backend that declares none.
    CommerceBasket extends B
    ? unknown
    : BasketMethodsWith<B>
  : unknown;

/** The methods of wishlists with this type. */
type WishlistMethodsWith<W extends CommerceWishlist> = {
  readonly [
    Name in keyof typeof commerceWishlistMethods
  ]: (typeof commerceWishlistMethods)[Name] extends RpcMethod<
    infer Payload,
    unknown,
    infer Input,
    infer Context
  >
    ? RpcMethod<Payload, { readonly wishlist: W }, Input, Context>
    : never;
};

type WishlistMethodsOf<Backend> = Backend extends {
  readonly wishlists?:
    | { read(...args: never): Promise<infer W extends CommerceWishlist> }
    | undefined;
}
  ? CommerceWishlist extends W
    ? unknown
    : WishlistMethodsWith<W>
  : unknown;

type MethodsOf<Backend> = Backend extends { readonly methods?: (infer M) | undefined }
  ? M extends RpcMethods
    ? RpcMethods extends M
      ? unknown
      : M
    : unknown
  : unknown;

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

/** The same methods, with another result. */
type WithResult<Methods, Result> = {
  readonly [Name in keyof Methods]: Methods[Name] extends RpcMethod<
    infer Payload,
    unknown,
    infer Input,
    infer Context
  >
    ? RpcMethod<Payload, Result, Input, Context>
    : never;
};

type BasketMethodsOf<Backend> = Backend extends {
  readonly baskets?: { read(...args: never): Promise<infer B extends CommerceBasket> } | undefined;
}
  ? // The basket of a backend that declares none.
    CommerceBasket extends B
    ? unknown
    : WithResult<
        Pick<typeof commerceBasketMethods, "getBasket"> & typeof couponMethods,
        { readonly basket: Revised<B> }
      > &
        WithResult<Omit<typeof commerceBasketMethods, "getBasket">, BasketOutcome<Revised<B>>>
  : unknown;

type WishlistMethodsOf<Backend> = Backend extends {
  readonly wishlists?:
    | { read(...args: never): Promise<infer W extends CommerceWishlist> }
    | undefined;
}
  ? CommerceWishlist extends W
    ? unknown
    : WithResult<typeof commerceWishlistMethods, { readonly wishlist: W }>
  : unknown;

type MethodsOf<Backend> = Backend extends { readonly methods?: (infer M) | undefined }
  ? M extends RpcMethods
    ? RpcMethods extends M
      ? unknown
      : M
    : unknown
  : unknown;

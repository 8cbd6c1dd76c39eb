import type { Call } from "./call.ts";
import type { RpcContext } from "./context.ts";
import { viewBasket } from "./lists/basket-view.ts";
import type { TransferableDocument } from "./lists/transfer.ts";
import { viewWishlist } from "./lists/wishlist.ts";

/** See {@link RpcContext.readBasket}. */
export async function readBasket({ session }: Call) {
  const { key, value } = await session.lists.read("basket");
  return viewBasket(key, value);
}

/** See {@link RpcContext.changeBasket}. */
export async function changeBasket(
  { services, session }: Call,
  rule: Parameters<RpcContext["changeBasket"]>[0],
) {
  const { key, value } = await session.lists.change("basket", (basket) => {
    const next = rule(basket, services.basketOptions);
    if (next === basket) return basket;
    const revision = basket.revision + 1;
    return keepTransfer(basket, next.revision === revision ? next : { ...next, revision });
  });
  return viewBasket(key, value);
}

/** See {@link RpcContext.readWishlist}. */
export async function readWishlist({ session }: Call) {
  const { key, value } = await session.lists.read("wishlist");
  return { wishlist: viewWishlist(key, value) };
}

/** See {@link RpcContext.changeWishlist}. */
export async function changeWishlist(
  { services, session }: Call,
  rule: Parameters<RpcContext["changeWishlist"]>[0],
) {
  const { key, value } = await session.lists.change("wishlist", (wishlist) =>
    keepTransfer(wishlist, rule(wishlist, services.wishlistOptions)),
  );
  return { wishlist: viewWishlist(key, value) };
}

// --- Internal helpers ---

/** Keeps the notes of merges, so that a rule which drops them makes no merge happen twice. */
function keepTransfer<List extends TransferableDocument>(current: List, next: List): List {
  const { merged, movedTo } = current;
  if (next.merged === merged && next.movedTo === movedTo) return next;
  return { ...next, merged, movedTo };
}

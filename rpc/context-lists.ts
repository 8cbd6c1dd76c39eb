import type { Call } from "./call.ts";
import type { RpcContext } from "./context.ts";
import { viewBasket } from "./lists/basket-view.ts";
import type { TransferableDocument } from "./lists/transfer.ts";
import { viewWishlist } from "./lists/wishlist.ts";

/** Creates the functions of a context that read and change the visitor's basket and wishlist. */
export function createContextLists({
  services,
  session,
}: Call): Pick<RpcContext, "readBasket" | "changeBasket" | "readWishlist" | "changeWishlist"> {
  return {
    async readBasket() {
      const { key, value } = await session.lists.read("basket");
      return viewBasket(key, value);
    },
    async changeBasket(rule) {
      const { key, value } = await session.lists.change("basket", (basket) => {
        const next = rule(basket, services.basketOptions);
        if (next === basket) return basket;
        const { revision } = basket;
        return keepTransfer(
          basket,
          next.revision > revision ? next : { ...next, revision: revision + 1 },
        );
      });
      return viewBasket(key, value);
    },
    async readWishlist() {
      const { key, value } = await session.lists.read("wishlist");
      return { wishlist: viewWishlist(key, value) };
    },
    async changeWishlist(rule) {
      const { key, value } = await session.lists.change("wishlist", (wishlist) =>
        keepTransfer(wishlist, rule(wishlist, services.wishlistOptions)),
      );
      return { wishlist: viewWishlist(key, value) };
    },
  };
}

// --- Internal helpers ---

/** Keeps the notes of merges, so that a rule which drops them makes no merge happen twice. */
function keepTransfer<List extends TransferableDocument>(current: List, next: List): List {
  const { merged, movedTo } = current;
  if (next.merged === merged && next.movedTo === movedTo) return next;
  return { ...next, merged, movedTo };
}

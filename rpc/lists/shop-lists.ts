import type { ListKind } from "../../storage/sessions/list-kind.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import type { ShopServices } from "../shop-services.ts";
import { emptyBasket, mergeItems, type Basket } from "./basket.ts";
import { closeList, extendList, type ShopLists } from "./transfer.ts";
import { emptyWishlist, mergeWishes, type Wishlist } from "./wishlist.ts";

/** The lists of a shop, by their kind. */
export interface Lists {
  readonly basket: Basket;
  readonly wishlist: Wishlist;
}

/** The lists of one kind in the storage of a shop. */
export function listsOf<K extends ListKind>(services: ShopServices, kind: K): ShopLists<Lists[K]> {
  return shopLists[kind](services);
}

/** Whether a shop's lists of one kind are in a commerce system. */
export function isElsewhere({ commerce }: ShopServices, kind: ListKind): boolean {
  return commerce?.[kind === "basket" ? "baskets" : "wishlists"] !== undefined;
}

/** Extends the guest's lists. This comes before the extension of the session, so that the lists outlive it. */
export async function extendGuestLists(
  services: ShopServices,
  session: LoadedSession,
): Promise<void> {
  const expiresAt = expiryFor(services, session);
  await forEachGuestList(services, session.record, (kind, key) =>
    extendList(listsOf(services, kind), key, expiresAt),
  );
}

/** Closes a guest's lists when the session ends. A user keeps the lists. */
export async function closeGuestLists(
  services: ShopServices,
  record: SessionRecord,
): Promise<void> {
  await forEachGuestList(services, record, (kind, key) => closeList(listsOf(services, kind), key));
}

/** Not before the session expires, even if a parallel call extends it right now. */
export function expiryFor({ sessions }: ShopServices, session: LoadedSession): number {
  return sessions.extendedEnd(session) + 60_000;
}

// --- Internal helpers ---

const shopLists: { [K in ListKind]: (services: ShopServices) => ShopLists<Lists[K]> } = {
  basket: ({ baskets, basketOptions, clock }) => ({
    clock,
    documents: baskets,
    empty: emptyBasket,
    merge: (user, guest) => mergeItems(user, guest.items, basketOptions),
  }),
  wishlist: ({ wishlists, wishlistOptions, clock }) => ({
    clock,
    documents: wishlists,
    empty: emptyWishlist,
    merge: (user, guest) => mergeWishes(user, guest.items, wishlistOptions),
  }),
};

/** Visits the guest's lists that are in the storage, and not in a commerce system. */
async function forEachGuestList(
  services: ShopServices,
  { user, belongings = {} }: SessionRecord,
  visit: (kind: ListKind, key: string) => Promise<void>,
): Promise<void> {
  if (user !== undefined) return;
  const basket = isElsewhere(services, "basket") ? undefined : belongings.basket;
  const wishlist = isElsewhere(services, "wishlist") ? undefined : belongings.wishlist;
  await Promise.all([basket && visit("basket", basket), wishlist && visit("wishlist", wishlist)]);
}

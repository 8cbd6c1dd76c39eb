import { readCommerceBasket, readCommerceWishlist } from "#commerce";
import type { CallSession } from "../session/call-session.ts";
import type { RpcContext } from "../context.ts";
import { viewBasket } from "./basket.ts";
import { assertRevision } from "./revision.ts";
import type { ListDocument } from "./list-document.ts";
import { viewWishlist } from "./wishlist.ts";

/** See {@link RpcContext.readBasket}. */
export async function readBasket(session: CallSession) {
  const { services } = session;
  if (services.commerce?.baskets !== undefined) return readCommerceBasket(session);
  const { key, value } = await session.lists.read("basket");
  return viewBasket(key, value);
}

/** See {@link RpcContext.changeBasket}. */
export async function changeBasket(
  session: CallSession,
  rule: Parameters<RpcContext["changeBasket"]>[0],
  { revision: expected }: Parameters<RpcContext["changeBasket"]>[1] = {},
) {
  const { services } = session;
  if (services.commerce?.baskets !== undefined)
    throw notEmbedded("changeBasket", "addItemToBasket");
  const isExpected = session.call.takeIfMatch();
  const createKey = () => services.random.uuid();
  const { key, value } = await session.lists.change("basket", (basket) => {
    const view = () => viewBasket(session.lists.keyOf("basket"), basket);
    assertRevision(isExpected, expected, basket.revision, view);
    const next = rule(basket, services.basketOptions, services.clock.now(), createKey);
    if (next === basket) return basket;
    assertList("changeBasket", next);
    const revision = basket.revision + 1;
    return keepTransfer(basket, next.revision === revision ? next : { ...next, revision });
  });
  const view = viewBasket(key, value);
  session.call.key?.views.set(view, "basket");
  return view;
}

/** See {@link RpcContext.readWishlist}. */
export async function readWishlist(session: CallSession) {
  const { services } = session;
  if (services.commerce?.wishlists !== undefined) return readCommerceWishlist(session);
  const { key, value } = await session.lists.read("wishlist");
  return { wishlist: viewWishlist(key, value) };
}

/** See {@link RpcContext.changeWishlist}. */
export async function changeWishlist(
  session: CallSession,
  rule: Parameters<RpcContext["changeWishlist"]>[0],
) {
  const { services } = session;
  if (services.commerce?.wishlists !== undefined)
    throw notEmbedded("changeWishlist", "addItemToWishlist");
  const createKey = () => services.random.uuid();
  const { key, value } = await session.lists.change("wishlist", (wishlist) => {
    const next = rule(wishlist, services.wishlistOptions, services.clock.now(), createKey);
    assertList("changeWishlist", next);
    return keepTransfer(wishlist, next);
  });
  const view = { wishlist: viewWishlist(key, value) };
  session.call.key?.views.set(view, "wishlist");
  return view;
}

// --- Internal helpers ---

function notEmbedded(name: string, method: string): Error {
  return new Error(
    `context.${name} can't change a list in a commerce system. Use context.callRpc("${method}", …), or a method of defineCommerceMethod.`,
  );
}

/** @throws TypeError if a rule returned no list. In JavaScript, it can lack its `return`, or be async. */
function assertList(name: string, next: unknown): void {
  if (Array.isArray((next as { readonly items?: unknown } | undefined)?.items)) return;
  const isPromise = next instanceof Promise;
  // Otherwise, the rejection of an async rule would end the process.
  if (isPromise) next.catch(() => {});
  const found = isPromise ? "a promise" : "no object with a list of items";
  throw new TypeError(
    `context.${name}: the rule returned ${found}. It must return the list that it got, or a changed copy, and can't be async`,
  );
}

/** Keeps the notes of merges and of idempotency keys, so that a rule which drops them makes nothing happen twice. */
function keepTransfer<List extends ListDocument>(current: List, next: List): List {
  const { merged, movedTo, keys } = current;
  if (next.merged === merged && next.movedTo === movedTo && next.keys === keys) return next;
  return { ...next, merged, movedTo, keys };
}

import { describeError, type Logger } from "../../shared/log.ts";
import { endOfTurn } from "../../storage/documents/tick-barrier.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { ShopServices } from "../shop-services.ts";
import { emptyBasket, mergeItems, type MergedLine } from "./basket.ts";
import { moveOwned, userOwnerKey } from "./owned.ts";
import { emptyWishlist, mergeWishes, type LeftOutWish } from "./wishlist.ts";

/** The outcome of merging a guest's basket and wishlist at login. */
export interface MergeReport {
  /**
   * `none`: there was nothing to merge; `merged`: it is done;
   * `pending`: the storage refused, and it will be done at the next call.
   */
  readonly status: "none" | "merged" | "pending";
  /** The outcome for each line of this shop's basket, and each wish of its wishlist that was left out. */
  readonly lines: readonly (MergedLine | LeftOutWish)[];
}

const nothingMerged: MergeReport = { status: "none", lines: [] };

/**
 * Merges what guests left into what a user has, and forgets each that is done.
 *
 * Never throws, so that a login doesn't fail because of a basket. Each merge can be repeated, and counts once. If the
 * storage fails, the other merges wait for the next call. Other calls run between two rounds of merges.
 */
export async function completeMerges(
  backend: ShopServices,
  userId: string | number,
  pending: readonly PendingMerge[],
  log: Logger,
): Promise<MergeReport> {
  if (pending.length === 0) return nothingMerged;
  const merged: PendingMerge[] = [];
  const lines: MergeReport["lines"][] = [];
  for (let at = 0; at < pending.length && merged.length === at; at += mergedAtOnce) {
    if (at > 0) await endOfTurn();
    const tried = pending.slice(at, at + mergedAtOnce);
    const results = await Promise.all(tried.map((left) => tryMerge(backend, userId, left, log)));
    for (const { left, lines: found } of results) {
      if (found === undefined) continue;
      merged.push(left);
      if (left.shopId === backend.shop.shopId) lines.push(found);
    }
  }
  if (merged.length > 0) {
    await forget(backend, userId, merged).catch((error: unknown) =>
      log.warn("A merge at login will be looked at again", { error: describeError(error) }),
    );
  }
  return { status: merged.length === pending.length ? "merged" : "pending", lines: lines.flat() };
}

// --- Internal helpers ---

/** The merges of one round: a basket and a wishlist, in one round trip. More would hold the event loop too long. */
const mergedAtOnce = 2;

interface TriedMerge {
  readonly left: PendingMerge;
  /** `undefined`: the storage failed. */
  readonly lines: MergeReport["lines"] | undefined;
}

async function tryMerge(
  backend: ShopServices,
  userId: string | number,
  left: PendingMerge,
  log: Logger,
): Promise<TriedMerge> {
  const { shopId, belonging } = left;
  const shop = backend.realm.shops.get(shopId);
  try {
    const lines = shop === undefined ? [] : await mergeOne(shop, userId, left);
    const count = lines.filter(({ outcome }) => outcome === "left_out").length;
    // If a later call completes a merge, no client gets its report.
    if (count > 0) log.warn("A merge left out lines", { shopId, belonging, count });
    return { left, lines };
  } catch (error) {
    log.warn("A merge at login failed; the next call tries again", { error: describeError(error) });
    return { left, lines: undefined };
  }
}

async function mergeOne(
  { shop, baskets, wishlists, basketOptions, wishlistOptions }: ShopServices,
  userId: string | number,
  { belonging, ...guest }: PendingMerge,
): Promise<MergeReport["lines"]> {
  const userKey = userOwnerKey(shop.shopId, userId);
  let lines: MergeReport["lines"] = [];
  if (belonging === "basket") {
    await moveOwned(baskets, guest, userKey, emptyBasket, (user, left) => {
      const merged = mergeItems(user, left.items, basketOptions);
      lines = merged.lines;
      return merged.basket;
    });
  } else {
    await moveOwned(wishlists, guest, userKey, emptyWishlist, (user, left) => {
      const merged = mergeWishes(user, left.items, wishlistOptions);
      lines = merged.lines;
      return merged.wishlist;
    });
  }
  return lines;
}

async function forget(
  { sessions }: ShopServices,
  userId: string | number,
  merged: readonly PendingMerge[],
): Promise<void> {
  await sessions.users.update(userId, (index) => ({
    ...index,
    pendingMerges: index.pendingMerges.filter(({ belonging, key }) =>
      merged.every((done) => done.belonging !== belonging || done.key !== key),
    ),
  }));
}

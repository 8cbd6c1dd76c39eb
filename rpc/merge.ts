import { describeError, type Logger } from "../storage/log.ts";
import type { PendingMerge } from "../storage/user-index.ts";
import type { ShopBackend } from "./backend.ts";
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
 * Never throws: a login does not fail for a basket. Each can be tried again, and counts once.
 */
export async function completeMerges(
  backend: ShopBackend,
  userId: string | number,
  pending: readonly PendingMerge[],
  log: Logger,
): Promise<MergeReport> {
  if (pending.length === 0) return nothingMerged;
  const attempts = await Promise.all(
    pending.map(async (left) => {
      const shop = backend.realm.shops.get(left.shopId);
      try {
        return { left, lines: shop === undefined ? [] : await mergeOne(shop, userId, left) };
      } catch (error) {
        log.warn("A merge at login is put off", { error: describeError(error) });
        return { left, lines: undefined };
      }
    }),
  );
  const done = attempts.filter(({ lines }) => lines !== undefined);
  if (done.length > 0) {
    const merged = done.map(({ left }) => left);
    await forget(backend, userId, merged).catch((error: unknown) =>
      log.warn("A merge at login will be looked at again", { error: describeError(error) }),
    );
  }
  return {
    status: done.length === attempts.length ? "merged" : "pending",
    lines: done.flatMap(({ left, lines = [] }) =>
      left.shopId === backend.shop.shopId ? lines : [],
    ),
  };
}

// --- Internal helpers ---

async function mergeOne(
  { shop, baskets, wishlists, basketOptions, wishlistOptions }: ShopBackend,
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
  { sessions }: ShopBackend,
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

import type { Logger } from "../storage/log.ts";
import type { PendingMerge } from "../storage/user-sessions.ts";
import type { ShopBackend } from "./backend.ts";
import { emptyBasket, mergeItems, type MergedLine } from "./basket.ts";
import { moveOwned, userOwnerKey } from "./owned.ts";
import { emptyWishlist, mergeWishes } from "./wishlist.ts";

/** What became of a guest's basket at login. */
export interface MergeReport {
  /**
   * `none`: there was nothing to merge; `merged`: it is done;
   * `pending`: the storage refused, and it will be done at the next call.
   */
  readonly status: "none" | "merged" | "pending";
  /** What became of each line of the guest's basket, in this shop. */
  readonly lines: readonly MergedLine[];
}

export const nothingMerged: MergeReport = { status: "none", lines: [] };

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
        log.warn("A merge at login is put off", { error });
        return { left, lines: undefined };
      }
    }),
  );
  const done = attempts.filter(({ lines }) => lines !== undefined);
  const doneKeys = done.map(({ left }) => left.ownerKey);
  if (doneKeys.length > 0) {
    await forget(backend, userId, doneKeys).catch((error: unknown) =>
      log.warn("A merge at login will be looked at again", { error }),
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
  { shop, baskets, wishlists, basketOptions }: ShopBackend,
  userId: string | number,
  { ownerKey: key, expiresAt, hasBasket, hasWishlist }: PendingMerge,
): Promise<readonly MergedLine[]> {
  const userKey = userOwnerKey(shop.shopId, userId);
  let lines: readonly MergedLine[] = [];
  const basketMove =
    hasBasket &&
    moveOwned(baskets, { key, expiresAt }, userKey, emptyBasket, (user, guest) => {
      const merged = mergeItems(user, guest.items, basketOptions);
      lines = merged.lines;
      return merged.basket;
    });
  const wishlistMove =
    hasWishlist &&
    moveOwned(wishlists, { key, expiresAt }, userKey, emptyWishlist, (user, guest) =>
      mergeWishes(user, guest.items),
    );
  await Promise.all([basketMove, wishlistMove]);
  return lines;
}

async function forget(
  { sessions }: ShopBackend,
  userId: string | number,
  ownerKeys: readonly string[],
): Promise<void> {
  await sessions.users.update(userId, (index) => ({
    ...index,
    pendingMerges: index.pendingMerges.filter((left) => !ownerKeys.includes(left.ownerKey)),
  }));
}

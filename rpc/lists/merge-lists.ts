import { moveBasket, moveWishlist } from "#commerce";
import { describeError } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { CallSession } from "../session/call-session.ts";
import { clearMergePending } from "../session/record-changes.ts";
import type { ShopServices } from "../shop-services.ts";
import { isElsewhere, listsOf } from "./shop-lists.ts";
import { completeMerges, transferList, type MergeReport } from "./transfer.ts";

/**
 * Merges guests' lists into a user's lists, and then removes the note from the session. It never throws: a failed merge
 * is `pending`.
 */
export async function mergeLists(
  session: CallSession,
  user: ShopUser,
  pending: readonly PendingMerge[],
): Promise<MergeReport> {
  const { services, call } = session;
  const { sessions } = services;
  const own = pending.filter((merge) => isMergedHere(services, merge));
  const transfer = (merge: PendingMerge) => transferOne(session, merge, user.id);
  const report = await completeMerges(sessions, user.id, own, transfer, call.log);
  const { current } = session;
  if (report.status !== "none") {
    const outcome = report.status === "pending" ? "owed" : "done";
    services.observer?.merge(services.shop.shopId, outcome);
  }
  if (report.status === "pending" || !current?.record.mergePending) return report;
  try {
    session.current = await sessions.update(current, clearMergePending);
  } catch (error) {
    // The next call checks again, and finds nothing to merge.
    call.log.warn(
      "A merge is done, but the session still lists it as pending; the next call checks again",
      { error: describeError(error) },
    );
  }
  return report;
}

/** Tries again the merges that failed at a login. @throws StorageUnavailableError */
export async function completePendingMerges(session: CallSession): Promise<void> {
  const user = session.current?.record.user;
  if (user === undefined) return;
  const { pendingMerges } = await session.services.sessions.users.read(user.id);
  await mergeLists(session, user, pendingMerges);
}

// --- Internal helpers ---

/** A list in a commerce system is merged in calls of its own shop, which have the user's grant. */
function isMergedHere({ shop, realm }: ShopServices, { shopId, belonging }: PendingMerge): boolean {
  const owner = realm.shops.get(shopId);
  return shopId === shop.shopId || owner === undefined || !isElsewhere(owner, belonging);
}

async function transferOne(
  session: CallSession,
  merge: PendingMerge,
  userId: string | number,
): Promise<MergeReport["lines"]> {
  const { shopId, belonging, key, expiresAt } = merge;
  const shop = session.services.realm.shops.get(shopId);
  // The config can lose a shop while its merges are pending.
  if (shop === undefined) return [];
  if (isElsewhere(shop, belonging)) {
    const move = belonging === "basket" ? moveBasket : moveWishlist;
    return move(session, merge);
  }
  const userKey = session.lists.userKeyIn(shopId, userId);
  return transferList(listsOf(shop, belonging), { key, expiresAt }, userKey);
}

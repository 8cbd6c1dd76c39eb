import { moveBasket, moveWishlist } from "#commerce";
import type { ListKind } from "../../storage/sessions/list-kind.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import {
  SessionEndedError,
  type RecordChange,
  type Session,
} from "../../storage/sessions/session.ts";
import { findUsedKey } from "../idempotency/list-keys.ts";
import type { RequestKey } from "../idempotency/request-key.ts";
import type { CallSession } from "../session/call-session.ts";
import type { ShopServices } from "../shop-services.ts";
import { emptyBasket, mergeItems, type Basket } from "./basket.ts";
import { userOwnerKey } from "./list-document.ts";
import {
  changeList,
  closeList,
  completeMerges,
  extendList,
  readList,
  transferList,
  type MergeReport,
  type ShopLists,
} from "./transfer.ts";
import { emptyWishlist, mergeWishes, type Wishlist } from "./wishlist.ts";

/**
 * The basket and the wishlist of a call's visitor. The key of a user's lists comes from the user's ID. The keys of a
 * guest's lists are in the session. Methods throw StorageUnavailableError.
 */
export class VisitorLists {
  readonly #session: CallSession;
  /** The keys of users' lists, each computed once per call. */
  readonly #userKeys = new Map<string, string>();

  constructor(session: CallSession) {
    this.#session = session;
  }

  /** The key of the visitor's list, if there is one. */
  keyOf(kind: ListKind): string | undefined {
    const record = this.#session.current?.record;
    return record?.user === undefined
      ? record?.belongings?.[kind]
      : this.#userKeyIn(this.#session.services.shop.shopId, record.user.id);
  }

  /**
   * The key of the visitor's list. For a guest without one, the session gets the key at the end of the call. In a
   * read-only call, it doesn't: nothing is stored under that key.
   */
  begin(kind: ListKind): string {
    const key = this.keyOf(kind);
    if (key !== undefined) return key;
    if (!this.#session.isReadOnly) this.#session.work.note(addListKey(kind));
    return this.#session.work.ownerKey;
  }

  /** The key that the visitor's list has or will have. It begins no session. */
  plannedKeyOf(kind: ListKind): string {
    return this.keyOf(kind) ?? this.#session.work.ownerKey;
  }

  /** Reads the visitor's list. Its key is `undefined` if the visitor has none yet. */
  async read<K extends ListKind>(kind: K) {
    const lists = listsOf(this.#session.services, kind);
    const key = this.keyOf(kind);
    return { key, value: key === undefined ? lists.empty : await readList(lists, key) };
  }

  /**
   * Changes the visitor's list. A guest's list is noted in the session before it is written: a login in a parallel
   * call then finds it, and the end of the session stops the write.
   * @param rule a pure function, because it can run more than once; if it returns its argument, nothing is written
   * @throws SessionEndedError, and the errors of `rule`
   */
  async change<K extends ListKind>(kind: K, rule: (current: Lists[K]) => Lists[K]) {
    this.#session.assertWritable();
    const lists = listsOf(this.#session.services, kind);
    // A change without effect begins no session. Neither does a change that the rule rejects.
    if (this.keyOf(kind) === undefined && rule(lists.empty) === lists.empty) {
      return { key: undefined, value: lists.empty };
    }
    const { key: requestKey, services } = this.#session.call;
    const once = requestKey?.applyOnce(rule, services.clock) ?? rule;
    const owner = await this.own(kind);
    const snapshot = requestKey?.takeSnapshot<Lists[K]>(`${kind}:${owner.key}`);
    const changed = await changeList(lists, owner, once, snapshot);
    if (changed !== undefined) return { key: owner.key, value: changed };
    // After a login in a parallel call, this write fails, because the session moved. After a login that failed
    // midway, the guest begins another list.
    await this.#session.work.write(replaceListKey(kind, owner.key, services.random.uuid()));
    const next = await this.own(kind);
    const value = await changeList(lists, next, once);
    if (value === undefined) throw new SessionEndedError();
    return { key: next.key, value };
  }

  /**
   * Checks that no list has the call's idempotency key from another call.
   * @param isNext whether the changes of the lists come next, so that they can begin with what this has read
   * @throws RpcError `idempotency_key_reused`; StorageUnavailableError
   */
  async assertKeyUnused(key: RequestKey, isNext: boolean): Promise<void> {
    const { services } = this.#session;
    const check = async (kind: ListKind) => {
      const owner = this.keyOf(kind);
      if (owner === undefined) return;
      const snapshot = await listsOf(services, kind).documents.get(owner);
      const fingerprint = findUsedKey(snapshot.value?.keys, key.id, services.clock.now());
      if (fingerprint !== undefined) key.assertSame(fingerprint);
      if (isNext) key.snapshots.set(`${kind}:${owner}`, snapshot);
    };
    await Promise.all([check("basket"), check("wishlist")]);
  }

  /**
   * Stores the key of a guest's list in the session, before the list changes.
   * @throws SessionEndedError
   */
  async own(kind: ListKind) {
    this.#session.assertWritable();
    // Only this change: the other changes of the call wait for its end, because the call can fail.
    if (this.keyOf(kind) === undefined) await this.#session.work.write(addListKey(kind));
    const services = this.#session.writable;
    // A guest's list is closed with the session. A user's list stays open, so check the session.
    const { user } = this.#session.current?.record ?? {};
    if (user !== undefined && !(await this.#session.isActive())) throw new SessionEndedError();
    const current = this.#session.current as Session;
    const isGuest = current.record.user === undefined;
    return { key: this.begin(kind), expiresAt: isGuest ? expiryFor(services, current) : undefined };
  }

  /** Merges guests' lists into a user's lists. It never throws: a failed merge is `pending`. */
  merge(userId: string | number, pending: readonly PendingMerge[]): Promise<MergeReport> {
    const transfer = (merge: PendingMerge) => this.#transfer(merge, userId);
    const { services, call } = this.#session;
    const own = pending.filter((merge) => isMergedHere(services, merge));
    return completeMerges(services.sessions, userId, own, transfer, call.log);
  }

  /** Closes a guest's lists when the session ends. A user keeps the lists. */
  async close(record: SessionRecord): Promise<void> {
    const { services } = this.#session;
    await forEachGuestList(services, record, (kind, key) =>
      closeList(listsOf(services, kind), key),
    );
  }

  async #transfer(merge: PendingMerge, userId: string | number): Promise<MergeReport["lines"]> {
    const { shopId, belonging, key, expiresAt } = merge;
    const shop = this.#session.services.realm.shops.get(shopId);
    // The config can lose a shop while its merges are pending.
    if (shop === undefined) return [];
    if (isElsewhere(shop, belonging)) {
      const move = belonging === "basket" ? moveBasket : moveWishlist;
      return move(this.#session.call, merge);
    }
    const userKey = this.#userKeyIn(shopId, userId);
    return transferList(listsOf(shop, belonging), { key, expiresAt }, userKey);
  }

  #userKeyIn(shopId: number, userId: string | number): string {
    const name = `${shopId}:${userId}`;
    const key = this.#userKeys.get(name) ?? userOwnerKey(shopId, userId);
    this.#userKeys.set(name, key);
    return key;
  }
}

/** Extends the guest's lists. This comes before the extension of the session, so that the lists outlive it. */
export async function extendGuestLists(services: ShopServices, session: Session): Promise<void> {
  const expiresAt = expiryFor(services, session);
  await forEachGuestList(services, session.record, (kind, key) =>
    extendList(listsOf(services, kind), key, expiresAt),
  );
}

// --- Internal helpers ---

/** Whether a shop's lists of one kind are in a commerce system. */
function isElsewhere({ commerce }: ShopServices, kind: ListKind): boolean {
  return commerce?.[kind === "basket" ? "baskets" : "wishlists"] !== undefined;
}

/** A list in a commerce system is merged in calls of its own shop, which have the user's grant. */
function isMergedHere({ shop, realm }: ShopServices, { shopId, belonging }: PendingMerge): boolean {
  const owner = realm.shops.get(shopId);
  return shopId === shop.shopId || owner === undefined || !isElsewhere(owner, belonging);
}

interface Lists {
  readonly basket: Basket;
  readonly wishlist: Wishlist;
}

function listsOf<K extends ListKind>(services: ShopServices, kind: K): ShopLists<Lists[K]> {
  return shopLists[kind](services);
}

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

/** Adds the key of a guest's list, unless the record has one already. */
function addListKey(kind: ListKind): RecordChange {
  return (record) => ({ ...record, belongings: { [kind]: record.ownerKey, ...record.belongings } });
}

/** Replaces the key of a guest's list, unless a parallel call has replaced it. */
function replaceListKey(kind: ListKind, from: string, to: string): RecordChange {
  return (record) =>
    record.belongings?.[kind] === from
      ? { ...record, belongings: { ...record.belongings, [kind]: to } }
      : record;
}

/** Not before the session expires, even if a parallel call extends it right now. */
function expiryFor({ sessions }: ShopServices, session: Session): number {
  return sessions.extendedEnd(session) + 60_000;
}

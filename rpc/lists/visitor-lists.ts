import type { ListKind } from "../../storage/sessions/list-kind.ts";
import {
  SessionEndedError,
  type RecordChange,
  type LoadedSession,
} from "../../storage/sessions/session.ts";
import { findUsedKey } from "../idempotency/list-keys.ts";
import type { RequestKey } from "../idempotency/request-key.ts";
import type { UnitOfWork } from "../session/unit-of-work.ts";
import { userOwnerKey } from "./list-document.ts";
import { expiryFor, listsOf, type Lists } from "./shop-lists.ts";
import { changeList, readList } from "./transfer.ts";

/**
 * The basket and the wishlist of a call's visitor. The key of a user's lists comes from the user's ID. The keys of a
 * guest's lists are in the session. Methods throw StorageUnavailableError.
 */
export class VisitorLists {
  readonly #session: UnitOfWork;
  /** The keys of users' lists, each computed once per call. */
  readonly #userKeys = new Map<string, string>();

  constructor(session: UnitOfWork) {
    this.#session = session;
  }

  /** The key of the visitor's list, if there is one. */
  keyOf(kind: ListKind): string | undefined {
    const record = this.#session.current?.record;
    return record?.user === undefined
      ? record?.belongings?.[kind]
      : this.userKeyIn(this.#session.services.shop.shopId, record.user.id);
  }

  /**
   * The key of the visitor's list. For a guest without one, the session gets the key at the end of the call. In a
   * read-only call, it doesn't: nothing is stored under that key.
   */
  begin(kind: ListKind): string {
    const key = this.keyOf(kind);
    if (key !== undefined) return key;
    if (!this.#session.isReadOnly) this.#session.note(addListKey(kind));
    return this.#session.ownerKey;
  }

  /** The key that the visitor's list has or will have. It begins no session. */
  plannedKeyOf(kind: ListKind): string {
    return this.keyOf(kind) ?? this.#session.ownerKey;
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
    await this.#session.write(replaceListKey(kind, owner.key, services.random.uuid()));
    const next = await this.own(kind);
    const value = await changeList(lists, next, once);
    if (value === undefined) throw new SessionEndedError();
    return { key: next.key, value };
  }

  /**
   * Checks that no list has the call's idempotency key from another call.
   * @param isNext whether the changes of the lists come next, so that they can begin with the lists that this has read
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
    if (this.keyOf(kind) === undefined) await this.#session.write(addListKey(kind));
    const services = this.#session.writable;
    // A guest's list is closed with the session. A user's list stays open, so check the session.
    const { user } = this.#session.current?.record ?? {};
    if (user !== undefined && !(await this.#session.isActive())) throw new SessionEndedError();
    const current = this.#session.current as LoadedSession;
    const isGuest = current.record.user === undefined;
    return { key: this.begin(kind), expiresAt: isGuest ? expiryFor(services, current) : undefined };
  }

  /** The key of a user's list in a shop. */
  userKeyIn(shopId: number, userId: string | number): string {
    const name = `${shopId}:${userId}`;
    const key = this.#userKeys.get(name) ?? userOwnerKey(shopId, userId);
    this.#userKeys.set(name, key);
    return key;
  }
}

// --- Internal helpers ---

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

import { randomUUID } from "uncrypto";
import type { Collection } from "../../storage/documents/documents.ts";
import type { ListKind, SessionRecord } from "../../storage/sessions/session-record.ts";
import type { RecordChange, Session } from "../../storage/sessions/session-records.ts";
import type { ShopServices } from "../shop-services.ts";
import { emptyBasket } from "./basket.ts";
import {
  changeOwned,
  DocumentMovedError,
  endOwned,
  extendOwned,
  userOwnerKey,
  type Owned,
  type Owner,
} from "./owned.ts";
import { beginBelonging, replaceBelonging } from "../session/record-changes.ts";
import { emptyWishlist } from "./wishlist.ts";

/** What the belongings of a visitor need of the session of a call. */
export interface OwningSession {
  current(): Session | undefined;
  /** The first key of what a guest without a session begins. */
  guestKey(): string;
  /** Changes the session's record at the end of the call. */
  note(change: RecordChange): void;
  /** Changes the session's record now, and begins a session where there is none. */
  write(change: RecordChange): Promise<void>;
  /** @throws RpcError `timeout` where the call may write no more */
  assertInTime(): void;
  /** @throws SessionEndedError where a user's session has ended since the call began */
  assertAlive(): Promise<void>;
}

/**
 * The basket and the wishlist of a call's visitor. A user's are found by who they are, a guest's by what is
 * noted in the session.
 */
export class Belongings {
  readonly #backend: ShopServices;
  readonly #session: OwningSession;

  constructor(backend: ShopServices, session: OwningSession) {
    this.#backend = backend;
    this.#session = session;
  }

  /** The key of the visitor's basket or wishlist, where it was begun. */
  peek(belonging: ListKind): string | undefined {
    const record = this.#session.current()?.record;
    if (record?.user !== undefined) return userOwnerKey(this.#backend.shop.shopId, record.user.id);
    return record?.belongings?.[belonging];
  }

  /** The key of the visitor's basket or wishlist; a guest's is begun with it, at the call's end. */
  begin(belonging: ListKind): string {
    const begun = this.peek(belonging);
    if (begun !== undefined) return begun;
    this.#session.note(beginBelonging(belonging));
    return this.#session.current()?.record.ownerKey ?? this.#session.guestKey();
  }

  /**
   * Changes the visitor's basket or wishlist. A guest's is noted in the session before it is written:
   * a login that comes between finds the note, and an ended session stops the write.
   * @returns its key, and what it is now
   */
  async change<T extends Owned>(
    belonging: ListKind,
    documents: Collection<T>,
    empty: T,
    rule: (current: T) => T,
  ): Promise<{ readonly key: string; readonly value: T }> {
    const owner = await this.#own(belonging);
    try {
      return { key: owner.key, value: await changeOwned(documents, owner, empty, rule) };
    } catch (error) {
      if (!(error instanceof DocumentMovedError)) throw error;
    }
    // It is the user's now, and so is the session, which then refuses; or else a login broke off and left
    // the guest here.
    await this.#session.write(replaceBelonging(belonging, owner.key, randomUUID()));
    const next = await this.#own(belonging);
    return { key: next.key, value: await changeOwned(documents, next, empty, rule) };
  }

  /** Ends what a guest had, with the session; what a user has stays theirs. */
  async end({ user, belongings = {} }: SessionRecord): Promise<void> {
    if (user !== undefined) return;
    const { baskets, wishlists } = this.#backend;
    await Promise.all([
      belongings.basket && endOwned(baskets, belongings.basket, emptyBasket),
      belongings.wishlist && endOwned(wishlists, belongings.wishlist, emptyWishlist),
    ]);
  }

  async #own(belonging: ListKind): Promise<Owner> {
    // On its own: what else the call changes waits for its end, for it may fail.
    if (this.peek(belonging) === undefined) await this.#session.write(beginBelonging(belonging));
    this.#session.assertInTime();
    await this.#session.assertAlive();
    const session = this.#session.current() as Session;
    const isGuest = session.record.user === undefined;
    return {
      key: this.begin(belonging),
      expiresAt: isGuest ? endFor(this.#backend, session) : undefined,
    };
  }
}

/** Extends the guest's lists. This comes before the extension of the session, so that the lists outlive it. */
export async function extendBelongings(backend: ShopServices, session: Session): Promise<void> {
  const { user, belongings = {} } = session.record;
  if (user !== undefined) return;
  const { baskets, wishlists } = backend;
  const end = endFor(backend, session);
  await Promise.all([
    belongings.basket && extendOwned(baskets, belongings.basket, end),
    belongings.wishlist && extendOwned(wishlists, belongings.wishlist, end),
  ]);
}

// --- Internal helpers ---

/** Not before the session expires, even if a parallel call extends it right now. */
function endFor({ sessions }: ShopServices, session: Session): number {
  return sessions.extendedEnd(session) + 60_000;
}

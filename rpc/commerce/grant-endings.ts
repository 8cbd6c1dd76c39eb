import { describeError, withDetails, type Logger } from "../../shared/log.ts";
import type { Clock } from "../../storage/clock.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { DueList, type DueEntry } from "../../storage/grants/due-list.ts";
import {
  hasGrant,
  type FoundGrant,
  type GrantLease,
} from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import type { EndingSession, SessionEndings } from "../../storage/sessions/session-endings.ts";
import { entryOf, type UserSession } from "../../storage/sessions/user-index.ts";
import { Redactor } from "../redaction/redactor.ts";
import type { ShopServices } from "../shop-services.ts";
import type { Grant, GrantedVisit } from "./visit.ts";
import { toVisit } from "./visitor.ts";

/**
 * The result of a check of a grant. `done`: nothing is left to end. `error`: the next sweep tries again. `activeUntil`:
 * the session is active, so a later sweep checks the grant after this time (epoch milliseconds).
 */
export type Settled =
  | "done"
  | { readonly activeUntil: number; readonly error?: undefined }
  | { readonly error: string };

type ActiveGrant = Extract<FoundGrant, { state: "active" }>;

/** Ends the grants of the sessions in one storage when the sessions end. */
export class GrantEndings implements SessionEndings {
  /** When to check the grants of sessions. */
  readonly due: DueList;
  /** Starts the sweep of this storage. */
  onUse: () => void = () => {};
  readonly #store: DocumentStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The shops whose commerce system can end grants. */
  readonly #shops = new Map<number, ShopServices>();
  /** The attempts in progress. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #isClosed = false;

  constructor(store: DocumentStore, log: Logger) {
    this.due = new DueList(store);
    this.#store = store;
    this.#clock = store.clock;
    this.#log = log;
  }

  /** Adds a shop. Without a function `end` of its backend, nothing is noted for it. */
  add(shop: ShopServices): void {
    if (shop.commerce?.grants?.end !== undefined) this.#shops.set(shop.shop.shopId, shop);
  }

  get isNeeded(): boolean {
    return this.#shops.size > 0;
  }

  get shops(): readonly ShopServices[] {
    return [...this.#shops.values()];
  }

  async note(sessions: readonly EndingSession[]): Promise<void> {
    this.onUse();
    const second = Math.floor(this.#clock.now() / 1000);
    const added = sessions
      .filter(({ shopId }) => this.#shops.has(shopId))
      .map(({ shopId, handle }) => this.due.add({ shopId, handle, second, isEnding: true }));
    try {
      await Promise.all(added);
    } catch (error) {
      // A storage that is full still lets sessions end.
      const message =
        "The end of a session was not noted. If the commerce system can't be reached now, its session there ends when this one would have expired";
      this.#log.warn(message, { error: describeError(error) });
    }
  }

  /** Waits for two seconds at most; the attempt goes on. */
  async finish(sessions: readonly EndingSession[]): Promise<void> {
    const own = sessions.filter(({ shopId }) => this.#shops.has(shopId));
    if (own.length === 0) return;
    const attempts = Promise.all(own.map((session) => this.#finishOne(session)));
    await waitFor(attempts, this.#clock.timeout(patience)).catch(() => undefined);
  }

  /**
   * Ends the grant of a session, if the session has ended. Never throws.
   * @param entry `isEnding`: whether the session was about to end. Otherwise, a login may have replaced a guest's session.
   */
  async settle({ shopId, handle, isEnding }: Omit<DueEntry, "second">): Promise<Settled> {
    const shop = this.#shops.get(shopId);
    if (this.#isClosed) return { error: "The server closes" };
    const closing = new AbortController();
    const attempt =
      shop === undefined
        ? this.#settleElsewhere(shopId, handle)
        : this.#settle(shop, handle, isEnding, closing.signal);
    this.#running.set(attempt, closing);
    try {
      return await attempt;
    } catch (error) {
      return { error: describeError(error) };
    } finally {
      this.#running.delete(attempt);
    }
  }

  /** Aborts the attempts in progress, and waits for them. The next start tries them again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const closing of this.#running.values()) closing.abort(new Error("The server closes"));
    await Promise.allSettled(this.#running.keys());
  }

  async #finishOne(session: EndingSession): Promise<void> {
    const { shopId, handle } = session;
    const settled = await this.settle({ shopId, handle, isEnding: true });
    if (settled === "done" || settled.error === undefined || this.#isClosed) return;
    const message = "A session in the commerce system was not ended; the next sweep tries again";
    this.#log.debug(message, { ...session, error: settled.error });
    // A session that began while all were ending was not noted before.
    await this.note([session]);
  }

  /** The config has lost the shop, or its backend. Another server may still have it. */
  async #settleElsewhere(shopId: number, handle: string): Promise<Settled> {
    const exists = await hasGrant(this.#store, shopId, handle);
    return exists ? { activeUntil: this.#clock.now() + pause } : "done";
  }

  async #settle(
    shop: ShopServices,
    handle: string,
    isEnding: boolean,
    closing: AbortSignal,
  ): Promise<Settled> {
    const documents = shop.grants?.documents;
    if (documents === undefined) return "done";
    const { found, isHeld, endsAt } = await documents.peek(handle);
    const neededUntil = isEnding ? 0 : endsAt;
    const settle = (grant: FoundGrant) => this.#settleWithoutEnd(shop, handle, neededUntil, grant);
    const early = isHeld ? undefined : await settle(found);
    if (early !== undefined) return early;
    const signal = AbortSignal.any([closing, this.#clock.timeout(maxWait)]);
    return documents.withLease(handle, signal, async (lease) => {
      const settled = await settle(lease.found);
      if (settled === undefined) await this.#end(shop, lease, lease.found as ActiveGrant, closing);
      return settled ?? "done";
    });
  }

  /**
   * @param neededUntil after a login, a merge may need the grant until then (epoch milliseconds)
   * @returns `undefined` if the grant has to end now
   */
  async #settleWithoutEnd(
    shop: ShopServices,
    handle: string,
    neededUntil: number,
    found: FoundGrant,
  ): Promise<Settled | undefined> {
    if (found.state === "unreadable") return { activeUntil: this.#clock.now() + pause };
    if (found.state !== "active") return "done";
    const activeUntil = await findEnd(shop, handle, neededUntil, found);
    return activeUntil === undefined ? undefined : { activeUntil };
  }

  async #end(
    shop: ShopServices,
    lease: GrantLease,
    found: ActiveGrant,
    closing: AbortSignal,
  ): Promise<void> {
    const signal = AbortSignal.any([await lease.prove(), closing]);
    const grant = found.grant as Grant;
    const redactor = new Redactor(() => [grant]);
    const log = withDetails(this.#log, { shopId: shop.shop.shopId });
    const visit = toVisit(shop, {
      user: found.user,
      grant,
      toBasketKey: () => found.basketKey,
      log: redactor.guard(log),
      ip: undefined,
      signal,
    });
    const ending = shop.commerce?.grants?.end?.(visit as GrantedVisit);
    try {
      if (ending !== undefined) await waitFor(ending, signal);
    } catch (error) {
      throw redactor.redact(error);
    }
    lease.end();
  }
}

// --- Internal helpers ---

/** Milliseconds that an end of a session waits for the commerce system. */
const patience = 2000;

/** Milliseconds that an attempt waits for calls that are changing the grant: longer than the lease of one that crashed. */
const maxWait = 12_000;

/** Milliseconds until the next look at a grant that this server can't end. */
const pause = 3_600_000;

/**
 * When the grant's session expires, or the last session on which its end has to wait. If a login has replaced a guest's
 * session, a merge may still need the grant, until the session would have expired.
 * @returns epoch milliseconds; `undefined` if the grant has to end now
 */
async function findEnd(
  shop: ShopServices,
  handle: string,
  neededUntil: number,
  { user, guestId }: ActiveGrant,
): Promise<number | undefined> {
  const { realm, sessions, clock } = shop;
  if (user === undefined) {
    const found = await sessions.lookUp(guestId ?? "");
    if (found.state === "active") return found.session.expiresAt;
    // A moment after a login, the state is `retired`; later, it is `absent`, as that of an expired session.
    const isOver = found.state === "ended" || neededUntil <= clock.now();
    return isOver ? undefined : neededUntil;
  }
  const indexes = await Promise.all(realm.users.map((users) => users.read(user.id)));
  const own = indexes.map((index) => entryOf(index, handle)?.expiresAt).find(Boolean);
  if (own !== undefined || !shop.commerce?.grants?.endsAll) return own;
  const others = indexes
    .flatMap((index) => Object.values(index.sessions))
    .filter((one) => isOfSameSystem(shop, one));
  return others.length === 0 ? undefined : Math.max(...others.map((one) => one.expiresAt));
}

function isOfSameSystem({ realm, commerce }: ShopServices, { shopId }: UserSession): boolean {
  return realm.shops.get(shopId)?.commerce?.name === commerce?.name;
}

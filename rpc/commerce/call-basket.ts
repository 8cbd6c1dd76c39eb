import type { ListKind } from "../../storage/sessions/list-kind.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { assertRevision } from "../lists/revision.ts";
import type { BasketOptions } from "../lists/basket-limits.ts";
import { withBasketLease, type BasketLease } from "./basket-lease.ts";
import { joined } from "./basket-log.ts";
import { withRevision, type Revised } from "./basket-revision.ts";
import { findGrant, obtainGrant } from "./call-grants.ts";
import {
  changeBasket,
  finishOpenChange,
  identifyChange,
  type LeasedBasket,
} from "./change-basket.ts";
import type { BasketOutcome, Baskets, BasketTarget, CommerceBasket } from "./commerce-backend.ts";
import { createVisit } from "./visitor.ts";
import { withGrant } from "./granted-visit.ts";
import { restartGuest } from "./guest-visits.ts";
import type { Grant, LoginVisit, Visit } from "./visit.ts";

/** Computes the quantities that the lines of a basket must have. It can run several times. */
export type Plan = (seen: CommerceBasket, options: BasketOptions) => readonly BasketTarget[];

/** The visitor's basket, under a lease of this call. */
export interface HeldBasket extends LeasedBasket {
  readonly key: string;
  /** The end of the work within the work. */
  last: Promise<unknown>;
}

/** Reads the visitor's basket in the commerce system. */
export async function readCommerceBasket(
  session: CallSession,
): Promise<{ readonly basket: Revised<CommerceBasket> }> {
  const basket = await runRead(session, (visit) => basketsOf(session).read(visit));
  return { basket: withRevision(basket) };
}

/**
 * Changes the visitor's basket in the commerce system, once for each `Idempotency-Key`.
 * @param options `revision`: the basket's revision that the client has seen; `added`: how much a change of one line adds
 * @returns `isVain`: nothing of `added` was reached
 * @throws RpcError `basket_changed`; any error of `plan` and of the system
 */
export function changeCommerceBasket(
  session: CallSession,
  plan: Plan,
  { revision, added }: { readonly revision?: number | undefined; readonly added?: number } = {},
): Promise<BasketOutcome<Revised<CommerceBasket>> & { readonly isVain: boolean }> {
  const identity = identifyChange(session);
  const isExpected = session.call.takeIfMatch();
  return withBasket(session, { isRepeatable: true }, async (held) => {
    const result = await changeBasket(session, basketsOf(session), held, {
      ...identity,
      added,
      plan(seen) {
        const basket = withRevision(seen);
        assertRevision(isExpected, revision, basket.revision, () => ({ basket }));
        return plan(seen, session.services.basketOptions);
      },
    });
    return { ...result, basket: withRevision(result.basket) };
  });
}

/** Runs a read of the commerce system. It begins no session, and no grant for a guest. */
export async function runRead<Result>(
  session: CallSession,
  work: (visit: Visit) => Promise<Result>,
  kind: ListKind = "basket",
): Promise<Result> {
  const toBasketKey = () => session.lists.plannedKeyOf(kind);
  // Without a session, there is no grant, and an adapter may need no request.
  if (session.current === undefined) {
    return work(createVisit(session, { toBasketKey }));
  }
  // Before the grant is read: while the system is down, many calls come here.
  session.services.system?.assertUp();
  const grant = await findGrant(session);
  return withGrant(session, grant, work, { isRepeatable: true, toBasketKey });
}

/**
 * Runs a method of the commerce system that changes something, under the lease of the visitor's basket. First it
 * completes earlier changes: a checkout must not leave them for the next basket. `work` can change the basket.
 */
export function runChange<Result>(
  session: CallSession,
  work: (visit: LoginVisit) => Promise<Result>,
): Promise<Result> {
  return withBasket(session, { isRepeatable: false }, async (held) => {
    const { baskets } = session.services.commerce ?? {};
    if (held.lease.log.movedTo !== undefined) throw new SessionEndedError();
    if (baskets !== undefined) await finishOpenChange(baskets, held);
    const own = beginMethod(session, held);
    try {
      return await work(held.changing);
    } finally {
      endMethod(session, own);
      await own.last;
    }
  });
}

/**
 * Runs work under the lease of the visitor's basket, or wishlist. It begins a session and a grant for a guest.
 * @param options `isRepeatable`: whether the work can run again, if the system rejects the grant in the middle
 */
export async function withBasket<Result>(
  session: CallSession,
  options: { readonly isRepeatable: boolean; readonly kind?: ListKind },
  work: (held: HeldBasket) => Promise<Result>,
): Promise<Result> {
  const { isRepeatable, kind = "basket" } = options;
  const outer = kind === "basket" ? heldBy.get(session) : undefined;
  if (outer !== undefined) {
    assertSameVisitor(session, outer);
    const result = outer.last.then(() => work(outer));
    outer.last = result.catch(() => undefined);
    return result;
  }
  // Before a session begins.
  session.services.system?.assertUp();
  const { key } = await session.lists.own(kind);
  const toBasketKey = () => key;
  return withBasketLease(session, toLeaseKey(kind, key), async (lease) => {
    if (lease.log.movedTo === joined) await restartGuest(session, lease);
    // The holder before this one can have changed the grant.
    const grant = await obtainGrant(session);
    return withGrant(
      session,
      grant,
      (changing) => {
        const reading = createVisit(session, { grant: changing.grant, toBasketKey });
        return work({ key, lease, reading, changing, last: Promise.resolve() });
      },
      { isRepeatable, toBasketKey, fetch: lease.fetch },
    );
  });
}

/** The lease of the visitor's basket, if a method in progress of this call holds it. */
export function findHeldLease(session: CallSession): BasketLease | undefined {
  return heldBy.get(session)?.lease;
}

/** A guest's basket and wishlist can have the same key. */
export function toLeaseKey(kind: ListKind, key: string): string {
  return kind === "basket" ? key : `${kind}:${key}`;
}

/** @throws Error if the shop's baskets are not in a commerce system */
export function basketsOf({ services }: CallSession): Baskets<Grant, CommerceBasket> {
  const baskets = services.commerce?.baskets;
  if (baskets !== undefined) return baskets;
  throw new Error(`The baskets of the shop ${services.shop.shopId} are not in a commerce system`);
}

// --- Internal helpers ---

/** The basket as a method in progress has it, whose handler can call other methods. */
interface MethodBasket extends HeldBasket {
  /** The basket of the method that called this one. */
  readonly outer: MethodBasket | undefined;
  isOver: boolean;
}

/** The baskets of the innermost methods in progress. */
const heldBy = new WeakMap<CallSession, MethodBasket>();

/** Begins a queue for the changes within a method. In the outer queue, they would wait for the end of this method. */
function beginMethod(session: CallSession, held: HeldBasket): MethodBasket {
  const { key, lease, reading, changing } = held;
  const outer = heldBy.get(session);
  const last = Promise.resolve();
  const own: MethodBasket = { key, lease, reading, changing, last, outer, isOver: false };
  heldBy.set(session, own);
  return own;
}

/**
 * A login or a logout within a method gives the visitor another basket. Its lease could be held by a call that waits for
 * the lease of this one.
 * @throws Error
 */
function assertSameVisitor(session: CallSession, held: MethodBasket): void {
  if (session.lists.plannedKeyOf("basket") === held.key) return;
  throw new Error(
    `The method ${session.call.request.method} has logged in or out, so it can't change the basket any more. Change it before that, or make the method with defineRpcMethod`,
  );
}

/** Methods that run at the same time can end in any order. */
function endMethod(session: CallSession, own: MethodBasket): void {
  own.isOver = true;
  let inner = heldBy.get(session);
  while (inner?.isOver) inner = inner.outer;
  if (inner === undefined) heldBy.delete(session);
  else heldBy.set(session, inner);
}

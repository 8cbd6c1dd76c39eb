import { describeError } from "../../shared/log.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import { LeaseLostError } from "../../storage/leases/lease.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { RpcError } from "../error.ts";
import {
  complete,
  drop,
  findChange,
  findOpen,
  note,
  type BasketLog,
  type NotedChange,
} from "./basket-log.ts";
import type { BasketLease } from "./basket-lease.ts";
import { findMissed, identify, quantitiesOf } from "./basket-plan.ts";
import type {
  BasketOutcome,
  Baskets,
  BasketTarget,
  CommerceBasket,
  Shortage,
} from "./commerce-backend.ts";
import { reached } from "./test-hooks.ts";
import type { Grant, LoginVisit } from "./visit.ts";

/*
 * A change of a basket in a commerce system, under its lease: read, compute the quantities, store them, set them, mark
 * the change as done. After a failure in between, the next change first sets the stored quantities again.
 */

/** A change that can be repeated. */
export interface BasketChange {
  readonly id: string;
  readonly fingerprint?: string | undefined;
  /** How much a change of one line adds to its quantity. */
  readonly added?: number | undefined;
  /** Computes the quantities. @throws RpcError if the change isn't possible, or the basket has another revision */
  plan(seen: CommerceBasket): readonly BasketTarget[];
}

/** A basket whose lease this call holds, with the visits for its reads and its changes. */
export interface LeasedBasket {
  readonly lease: BasketLease;
  readonly reading: LoginVisit;
  readonly changing: LoginVisit;
}

/** The identity of a call's next change: the same for each repetition with the same `Idempotency-Key`. */
export function identifyChange({ call: { key, services } }: CallSession) {
  return key === undefined
    ? { id: services.random.uuid() }
    : { id: key.nextChange(), fingerprint: key.fingerprint };
}

/**
 * Makes a change under the basket's lease, once.
 * @returns the basket, and the targets that the system didn't reach; `isVain`: it has reached nothing of an added
 * quantity, and such a change can be repeated
 * @throws SessionEndedError if the basket has moved to a user; RpcError `idempotency_key_reused`; any error of the plan
 * and of the system
 */
export async function changeBasket<B extends CommerceBasket>(
  session: CallSession,
  baskets: Baskets<Grant, B>,
  basket: LeasedBasket,
  change: BasketChange,
): Promise<BasketOutcome<B> & { readonly isVain: boolean }> {
  const { lease } = basket;
  await finishOpenChange(baskets, basket, change.id);
  if (lease.log.movedTo !== undefined) throw new SessionEndedError();
  const noted = findChange(lease.log, change.id);
  if (noted?.fingerprint !== undefined) session.call.key?.assertSame(noted.fingerprint);
  const seen = await baskets.read(basket.reading);
  if (noted !== undefined && noted.targets === undefined) return { basket: seen, isVain: false };
  const targets = noted?.targets ?? change.plan(seen);
  if (noted === undefined) {
    if (findMissed(seen, targets).length === 0) return { basket: seen, isVain: false };
    await reached("change: planned");
    const { id, fingerprint } = change;
    const at = session.services.clock.now();
    await lease.save(note(lease.log, { id, fingerprint, at, targets }));
  }
  await reached("change: stored");
  const isReached = noted !== undefined && findMissed(seen, targets).length === 0;
  const outcome = isReached
    ? { basket: seen }
    : await setTargets(baskets, basket, { id: change.id, targets, seen });
  await reached("change: set");
  const isVain = isInVain(outcome, targets, change.added);
  lease.leave((isVain ? drop : complete)(lease.log, change.id));
  return { ...outcome, isVain };
}

/**
 * Sets the targets again that an earlier holder of the lease has stored, but not marked as done.
 * @param own the ID of a change that its own call finishes
 */
export async function finishOpenChange<B extends CommerceBasket>(
  baskets: Baskets<Grant, B>,
  { lease, reading, changing }: LeasedBasket,
  own?: string,
): Promise<void> {
  const open = findOpen(lease.log);
  if (open?.targets === undefined || open.id === own) return;
  const { id, targets } = open;
  try {
    const seen = await baskets.read(reading);
    // Not every system would notice that nothing changes.
    if (findMissed(seen, targets).length > 0) {
      await lease.save(lease.log);
      await baskets.set({ targets, seen }, changing);
    }
  } catch (error) {
    if (isUnknown(error)) throw error;
    changing.log.warn("The commerce system rejected a change that an earlier call began", {
      error: describeError(error),
    });
    return lease.save(forget(lease.log, open));
  }
  await lease.save(complete(lease.log, id));
}

/**
 * Sets targets. If the system rejects one of several, the others are still set.
 * @returns the targets that the system didn't reach, or rejected
 * @throws errors that leave open whether the system made the change
 */
export async function setEach(
  baskets: Baskets<Grant, CommerceBasket>,
  basket: LeasedBasket,
  { targets, seen }: { readonly targets: readonly BasketTarget[]; readonly seen: CommerceBasket },
): Promise<readonly Shortage[]> {
  const { reading, changing } = basket;
  try {
    return (await baskets.set({ targets, seen }, changing)).short ?? [];
  } catch (error) {
    if (!isRejection(error)) throw error;
    if (targets.length > 1) {
      const short: Shortage[] = [];
      for (const target of targets) {
        const change = { targets: [target], seen: await baskets.read(reading) };
        short.push(...(await setEach(baskets, basket, change)));
      }
      return short;
    }
    changing.log.warn("The commerce system rejected a line of a merge", {
      error: describeError(error),
    });
    const quantities = quantitiesOf(seen);
    return targets.map((target) => ({
      variantId: target.variantId,
      reason: (error as RpcError).code,
      quantity: quantities.get(identify(target)) ?? 0,
    }));
  }
}

/** Whether the system may have made the change, although the request failed. */
export function isUnknown(error: unknown): boolean {
  if (error instanceof RpcError) return unknownOutcomes.has(error.code);
  if (error instanceof LeaseLostError || error instanceof StorageUnavailableError) return true;
  const { name } = error as Partial<Error>;
  return name === "AbortError" || name === "TimeoutError";
}

// --- Internal helpers ---

/** Whether the system has clearly rejected a change. A rejected grant says nothing about the change. */
function isRejection(error: unknown): boolean {
  return error instanceof RpcError && error.status < 500 && error.code !== "session_ended";
}

async function setTargets<B extends CommerceBasket>(
  baskets: Baskets<Grant, B>,
  { lease, changing }: LeasedBasket,
  change: { readonly id: string; readonly targets: readonly BasketTarget[]; readonly seen: B },
): Promise<BasketOutcome<B>> {
  const { id, targets, seen } = change;
  try {
    return await baskets.set({ targets, seen }, changing);
  } catch (error) {
    if (isRejection(error)) await lease.save(forget(lease.log, { id, targets, at: 0 }));
    throw error;
  }
}

/** A repeated call may have read the result of its first try, so the target has the quantity from before. */
function isInVain(
  { basket, short = [] }: BasketOutcome,
  [target]: readonly BasketTarget[],
  added: number | undefined,
): boolean {
  if (added === undefined || target === undefined || short.length === 0) return false;
  const quantity = quantitiesOf(basket).get(identify(target)) ?? 0;
  return quantity <= target.quantity - added;
}

/** A rejected grant is renewed, and then the change is tried again. */
const unknownOutcomes = new Set(["commerce_unavailable", "session_ended"]);

/** A repetition of a rejected change begins from the basket as it is. */
function forget(log: BasketLog, { id, targets = [] }: NotedChange): BasketLog {
  // The system may have reached some of several targets: a repetition must not add those again.
  return targets.length > 1 ? complete(log, id) : drop(log, id);
}

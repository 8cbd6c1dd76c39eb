import { describeError } from "../../shared/log.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { CallSession } from "../session/call-session.ts";
import type { MergedLine } from "../lists/basket-line.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import { withBasketLease } from "./basket-lease.ts";
import { addDone, complete, findChange, joined, note, type NotedChange } from "./basket-log.ts";
import { findMissed, planClear } from "./basket-plan.ts";
import { basketsOf, withBasket, type HeldBasket } from "./call-basket.ts";
import { finishOpenChange, isUnknown, setEach, type LeasedBasket } from "./change-basket.ts";
import type { Shortage } from "./commerce-backend.ts";
import { isRejectedGrant } from "./granted-visit.ts";
import { asGuest, openGuestBasket, readGuestGrant } from "./guest-visits.ts";
import { planMerge, toMergedLines, type PlannedLine } from "./merge-plan.ts";
import { reached } from "./test-hooks.ts";

/*
 * The move of a guest's lines into the user's basket in a commerce system. It is a change of the user's basket with the
 * ID `merge:<guest's key>`, so it happens once, however often a call repeats it.
 *
 *   1. The guest's log names the user: later changes of the guest fail.
 *   2. The user's log gets the quantities of all lines.
 *   3. The system sets them.
 *   4. The user's log marks the change as done.
 *   5. The guest's lines are removed.
 *
 * The user's index lists the move as pending until step 5 is done.
 */

/**
 * Moves a guest's basket to the user of the call, or continues an earlier attempt.
 * @returns the outcome for each line; nothing if an earlier attempt moved it, or the system joined the baskets
 * @throws any error of the system; the move stays pending
 */
export function moveBasket(
  session: CallSession,
  merge: PendingMerge,
): Promise<readonly MergedLine[]> {
  return withBasket(session, { isRepeatable: true }, async (held) => {
    const baskets = basketsOf(session);
    const id = `merge:${merge.key}`;
    const noted = findChange(held.lease.log, id);
    await finishOpenChange(baskets, held, id);
    const grant = await readGuestGrant(session, merge);
    return withBasketLease(session, merge.key, async (lease) => {
      const guest = openGuestBasket(session, merge, grant, lease);
      if (noted !== undefined) {
        await finishMove(session, held, noted, merge);
        await removeLines(session, guest);
        return [];
      }
      const plan = await beginMove(session, held, guest, merge);
      if (plan === undefined) return [];
      const short = await finishMove(session, held, plan.change, merge);
      await removeLines(session, guest);
      return toMergedLines(plan.lines, short);
    });
  });
}

// --- Internal helpers ---

/** Steps 1 and 2. @returns `undefined` if there is nothing to move */
async function beginMove(
  session: CallSession,
  held: HeldBasket,
  guest: LeasedBasket,
  merge: PendingMerge,
): Promise<{ readonly change: NotedChange; readonly lines: readonly PlannedLine[] } | undefined> {
  const baskets = basketsOf(session);
  const userKey = userOwnerKey(merge.shopId, session.user?.id ?? "");
  const { movedTo } = guest.lease.log;
  if (movedTo === joined) await keepKeys(held, guest, merge);
  if (movedTo !== undefined && movedTo !== userKey) return undefined;
  if (movedTo === undefined) {
    await asGuest(session, () => finishOpenChange(baskets, guest));
    await guest.lease.save({ ...guest.lease.log, movedTo: userKey }, merge.expiresAt);
    await reached("merge: sealed");
  }
  const left = await asGuest(session, () => baskets.read(guest.reading));
  if (left === undefined) return undefined;
  const seen = await baskets.read(held.reading);
  const { targets, lines } = planMerge(seen, left, session.services.basketOptions);
  const change = { id: `merge:${merge.key}`, at: session.services.clock.now(), targets };
  await reached("merge: planned");
  // The guest's keys come along: a repetition of the guest's last change must change nothing.
  const log = addDone(held.lease.log, guest.lease.log.changes);
  await held.lease.save(note(log, change), merge.expiresAt);
  await reached("merge: stored");
  return { change, lines };
}

/** Steps 3 and 4. @returns the targets that the system didn't reach */
async function finishMove(
  session: CallSession,
  held: HeldBasket,
  { id, targets }: NotedChange,
  merge: PendingMerge,
): Promise<readonly Shortage[]> {
  if (targets === undefined) return [];
  const baskets = basketsOf(session);
  const seen = await baskets.read(held.reading);
  const missed = findMissed(seen, targets);
  const short = missed.length === 0 ? [] : await setEach(baskets, held, { targets: missed, seen });
  await reached("merge: set");
  await held.lease.save(complete(held.lease.log, id), merge.expiresAt);
  await reached("merge: done");
  return short;
}

/** Step 5. If the system rejects the guest's grant by now, no visitor can use the lines. */
async function removeLines(session: CallSession, guest: LeasedBasket): Promise<void> {
  const baskets = basketsOf(session);
  try {
    const seen = await baskets.read(guest.reading);
    if (seen.items.length === 0) return;
    await baskets.set({ targets: planClear(seen), seen }, guest.changing);
    await reached("merge: removed");
  } catch (error) {
    if (isUnknown(error) && !isRejectedGrant(error)) throw error;
    session.call.log.debug("The lines of a merged guest's basket stay in the commerce system", {
      error: describeError(error),
    });
  }
}

/** Only the keys of the guest's changes: the system has joined the lines. */
async function keepKeys(held: HeldBasket, guest: LeasedBasket, merge: PendingMerge): Promise<void> {
  const log = addDone(held.lease.log, guest.lease.log.changes);
  if (log !== held.lease.log) await held.lease.save(log, merge.expiresAt);
}

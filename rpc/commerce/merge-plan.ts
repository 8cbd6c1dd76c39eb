import type { MergedLine } from "../lists/basket-line.ts";
import type { BasketOptions } from "../lists/basket-limits.ts";
import { identify, planClear, quantitiesOf, toTarget } from "./basket-plan.ts";
import type { BasketTarget, CommerceBasket, CommerceLine, Shortage } from "./commerce-backend.ts";

/* Pure rules: the quantities of a user's basket after a guest's lines have moved into it. */

/** The outcome for a guest's line. */
export interface PlannedLine {
  readonly line: MergedLine;
  /** The line's quantity in the user's basket, before and after. Absent: it stays out. */
  readonly target?: BasketTarget | undefined;
  readonly before: number;
}

/** Plans the merge of a guest's lines, as `mergeItems` merges the storefront's own baskets. */
export function planMerge(
  user: CommerceBasket,
  guest: CommerceBasket,
  options: BasketOptions,
): { readonly targets: readonly BasketTarget[]; readonly lines: readonly PlannedLine[] } {
  const { mergeStrategy: strategy, maxItems, maxQuantity } = options;
  if (guest.items.length === 0) return { targets: [], lines: [] };
  const isEmpty = user.items.length === 0;
  if (strategy === "useExisting" || (strategy === "useGuestIfExistingEmpty" && !isEmpty)) {
    return { targets: [], lines: guest.items.map(leaveOut) };
  }
  const isReplaced = strategy !== "merge";
  const before = new Map(isReplaced ? [] : quantitiesOf(user));
  const known = new Set(before.keys());
  const most = isReplaced ? Infinity : Math.max(2 * maxItems, user.items.length);
  const lines = guest.items.map((line): PlannedLine => {
    const identity = identify(line);
    if (!known.has(identity) && known.size >= most) return leaveOut(line);
    known.add(identity);
    const existing = before.get(identity) ?? 0;
    const sum = existing + line.quantity;
    const quantity = Math.min(sum, Math.max(maxQuantity, existing));
    const outcome = quantity < sum ? "capped" : existing === 0 ? "added" : "summed";
    before.set(identity, quantity);
    const { variantId } = line;
    return { line: { variantId, outcome }, target: toTarget(line, quantity), before: existing };
  });
  const targets = new Map(
    lines.flatMap(({ target }) => (target === undefined ? [] : [[identify(target), target]])),
  );
  if (!isReplaced) return { targets: [...targets.values()], lines };
  const dropped = user.items.filter((line) => !targets.has(identify(line)));
  return {
    targets: [...planClear({ items: dropped }), ...targets.values()],
    lines: [...lines, ...dropped.map(leaveOut)],
  };
}

/** The report of a merge, with the targets that the system didn't reach. */
export function toMergedLines(
  lines: readonly PlannedLine[],
  short: readonly Shortage[] = [],
): readonly MergedLine[] {
  const reached = new Map(short.map(({ variantId, quantity }) => [String(variantId), quantity]));
  return lines.map(({ line, target, before }) => {
    const quantity = target && reached.get(String(line.variantId));
    if (target === undefined || quantity === undefined || quantity >= target.quantity) return line;
    const { variantId } = line;
    return quantity > before
      ? { variantId, outcome: "capped" }
      : { variantId, quantity: target.quantity - before, outcome: "left_out" };
  });
}

// --- Internal helpers ---

function leaveOut({ variantId, quantity }: CommerceLine): PlannedLine {
  return { line: { variantId, quantity, outcome: "left_out" }, before: 0 };
}

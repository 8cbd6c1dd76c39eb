import type { Issue } from "../error.ts";
import { canonicalJson, type CustomData } from "../lists/basket-line.ts";
import { tooManyItems, unknownItem } from "../lists/list-errors.ts";
import { assertQuantity, type BasketOptions } from "../lists/basket-limits.ts";
import type { BasketTarget, CommerceBasket, CommerceLine } from "./commerce-backend.ts";

/* Pure rules: the quantities that the lines of a basket must have after a change. */

/**
 * Plans to add items. Lines of the same variant with the same custom data are one line.
 * @param pathOf the path of an added line's quantity in the input
 * @throws RpcError `limit_reached`
 */
export function planAdds(
  basket: CommerceBasket,
  added: readonly BasketTarget[],
  options: BasketOptions,
  pathOf: (index: number) => Issue["path"],
): readonly BasketTarget[] {
  const before = quantitiesOf(basket);
  const targets = new Map<string, BasketTarget>();
  for (const [index, line] of added.entries()) {
    const identity = identify(line);
    const known = targets.get(identity)?.quantity ?? before.get(identity) ?? 0;
    const quantity = known + line.quantity;
    assertQuantity(quantity, options, pathOf(index));
    targets.set(identity, { ...line, quantity });
  }
  const created = [...targets.keys()].filter((identity) => !before.has(identity)).length;
  if (created > 0 && basket.items.length + created > options.maxItems) {
    throw tooManyItems("basket", options.maxItems);
  }
  return [...targets.values()];
}

/**
 * Plans to change a line. If its custom data becomes that of another line, the two become one.
 * @throws RpcError `unknown_item`, `limit_reached`
 */
export function planUpdate(
  basket: CommerceBasket,
  itemKey: string,
  change: { readonly quantity?: number | undefined; readonly customData?: CustomData | undefined },
  options: BasketOptions,
): readonly BasketTarget[] {
  const line = findLine(basket, itemKey);
  const { quantity = line.quantity, customData = line.customData } = change;
  const next = toTarget({ ...line, customData }, quantity);
  const isSameLine = identify(next) === identify(line);
  const total = isSameLine ? quantity : quantity + (quantitiesOf(basket).get(identify(next)) ?? 0);
  assertQuantity(total, options, ["quantity"]);
  return isSameLine ? [next] : [toTarget(line, 0), { ...next, quantity: total }];
}

/** @throws RpcError `unknown_item` */
export function planRemoval(basket: CommerceBasket, itemKey: string): readonly BasketTarget[] {
  return [toTarget(findLine(basket, itemKey), 0)];
}

export function planClear({ items }: CommerceBasket): readonly BasketTarget[] {
  return items.map((line) => toTarget(line, 0));
}

/** The quantities of a basket, by {@link identify}. */
export function quantitiesOf({ items }: CommerceBasket): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>();
  for (const line of items) {
    const identity = identify(line);
    quantities.set(identity, (quantities.get(identity) ?? 0) + line.quantity);
  }
  return quantities;
}

/** The targets that a basket doesn't have. */
export function findMissed(
  basket: CommerceBasket,
  targets: readonly BasketTarget[],
): readonly BasketTarget[] {
  const quantities = quantitiesOf(basket);
  return targets.filter((target) => (quantities.get(identify(target)) ?? 0) !== target.quantity);
}

/** A system can return the ID of a variant as a string, although the client has sent a number. */
export function identify({ variantId, customData }: BasketTarget): string {
  return `${variantId}:${canonicalJson(customData ?? {})}`;
}

export function toTarget({ variantId, customData }: BasketTarget, quantity: number): BasketTarget {
  return customData === undefined ? { variantId, quantity } : { variantId, quantity, customData };
}

// --- Internal helpers ---

function findLine({ items }: CommerceBasket, itemKey: string): CommerceLine {
  const line = items.find(({ key }) => key === itemKey);
  if (line !== undefined) return line;
  throw unknownItem("basket");
}

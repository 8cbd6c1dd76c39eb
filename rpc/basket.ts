import { isDeepStrictEqual } from "node:util";
import { RpcError, type Fault } from "./error.ts";
import type { Owned } from "./owned.ts";
import type { BasketOptions, MergeStrategy } from "./shop.ts";

/** What a shop sells: a positive integer, or a string of 1 to 64 characters. */
export type ProductReference = string | number;

/** JSON data of a frontend's own, kept with a line: an engraving, a campaign. */
export type CustomData = Readonly<Record<string, unknown>>;

/** One line of a basket. */
export interface BasketItem {
  readonly key: string;
  readonly variantId: ProductReference;
  readonly quantity: number;
  readonly customData?: CustomData | undefined;
  /** Epoch milliseconds. */
  readonly addedAt: number;
}

/** What is stored of a basket. */
export interface Basket extends Owned {
  readonly items: readonly BasketItem[];
  /** Counts the changes. */
  readonly revision: number;
}

/** A basket as a client sees it. */
export interface BasketView {
  /** Names the basket; `null` until something is put in. */
  readonly key: string | null;
  readonly items: readonly BasketItem[];
  /** Pieces in all lines together. */
  readonly itemCount: number;
  readonly revision: number;
}

/** A line to be. */
export interface NewBasketItem {
  readonly variantId: ProductReference;
  readonly quantity: number;
  readonly customData?: CustomData | undefined;
}

/** What became of one line in a merge. */
export interface MergedLine {
  readonly variantId: ProductReference;
  readonly outcome: "added" | "summed" | "capped";
}

export const emptyBasket: Basket = { items: [], revision: 0 };

/** Whether something read from a storage is a basket. */
export function isBasket(value: unknown): value is Basket {
  return (
    typeof value === "object" &&
    value !== null &&
    Array.isArray((value as Basket).items) &&
    typeof (value as Basket).revision === "number"
  );
}

export function viewBasket(key: string | undefined, { items, revision }: Basket): BasketView {
  const itemCount = items.reduce((count, item) => count + item.quantity, 0);
  return { key: key ?? null, items, itemCount, revision };
}

/**
 * Adds lines, all or none; the same variant with the same custom data is one line.
 * @throws RpcError `limit_reached` with the path of the line that is too much
 */
export function addItems(
  basket: Basket,
  added: readonly (NewBasketItem & { readonly key: string })[],
  options: BasketOptions,
  now: number,
  pathOf: (index: number) => Fault["path"],
): Basket {
  const items = [...basket.items];
  for (const [index, line] of added.entries()) {
    const at = items.findIndex((item) => isSameLine(item, line));
    const existing = items[at];
    const quantity = (existing?.quantity ?? 0) + line.quantity;
    if (quantity > options.maxQuantity) throw tooMany(pathOf(index), options);
    if (existing) items[at] = { ...existing, quantity };
    else items.push({ ...line, addedAt: now });
  }
  if (items.length > options.maxItems && items.length > basket.items.length) {
    throw new RpcError("limit_reached", {
      detail: `A basket of this shop holds ${options.maxItems} lines`,
    });
  }
  return changed(basket, items);
}

/**
 * Changes a line. One that becomes equal to another is joined with it.
 * @throws RpcError `unknown_item`, `limit_reached`
 */
export function updateItem(
  basket: Basket,
  key: string,
  change: { readonly quantity?: number | undefined; readonly customData?: CustomData | undefined },
  options: BasketOptions,
): Basket {
  const existing = findItem(basket, key);
  const next = {
    ...existing,
    quantity: change.quantity ?? existing.quantity,
    customData: change.customData ?? existing.customData,
  };
  if (next.quantity === existing.quantity && isSameLine(existing, next)) return basket;
  const twin = basket.items.find((item) => item.key !== key && isSameLine(item, next));
  const quantity = next.quantity + (twin?.quantity ?? 0);
  if (quantity > options.maxQuantity) throw tooMany(["quantity"], options);
  const items = basket.items
    .filter((item) => item !== twin)
    .map((item) => (item.key === key ? { ...next, quantity } : item));
  return changed(basket, items);
}

/** @throws RpcError `unknown_item` */
export function removeItem(basket: Basket, key: string): Basket {
  findItem(basket, key);
  return changed(
    basket,
    basket.items.filter((item) => item.key !== key),
  );
}

export function clearItems(basket: Basket): Basket {
  return basket.items.length === 0 ? basket : changed(basket, []);
}

/**
 * Brings a guest's lines into the user's basket, by the shop's strategy. No line is refused for
 * there being too many: what a visitor has put in is not lost.
 */
export function mergeItems(
  basket: Basket,
  guestItems: readonly BasketItem[],
  options: BasketOptions,
): { basket: Basket; lines: readonly MergedLine[] } {
  const strategy = effectiveStrategy(options.mergeStrategy, basket);
  if (strategy === "useExisting" || guestItems.length === 0) return { basket, lines: [] };
  const items = strategy === "useGuest" ? [] : [...basket.items];
  const lines = guestItems.map((line): MergedLine => {
    const at = items.findIndex((item) => isSameLine(item, line));
    const existing = items[at];
    const sum = (existing?.quantity ?? 0) + line.quantity;
    const quantity = Math.min(sum, Math.max(options.maxQuantity, existing?.quantity ?? 0));
    if (existing) items[at] = { ...existing, quantity };
    else items.push({ ...line, quantity });
    const outcome = quantity < sum ? "capped" : existing ? "summed" : "added";
    return { variantId: line.variantId, outcome };
  });
  return { basket: changed(basket, items), lines };
}

// --- Internal helpers ---

function changed(basket: Basket, items: readonly BasketItem[]): Basket {
  return { ...basket, items, revision: basket.revision + 1 };
}

function findItem(basket: Basket, key: string): BasketItem {
  const item = basket.items.find((candidate) => candidate.key === key);
  if (item === undefined) {
    throw new RpcError("unknown_item", { detail: "The basket has no line with this key" });
  }
  return item;
}

function isSameLine(a: NewBasketItem, b: NewBasketItem): boolean {
  return a.variantId === b.variantId && isDeepStrictEqual(a.customData ?? {}, b.customData ?? {});
}

function tooMany(path: Fault["path"], { maxQuantity }: BasketOptions): RpcError {
  const message = `A line of this shop's baskets holds ${maxQuantity} pieces`;
  return new RpcError("limit_reached", { detail: message, errors: [{ path, message }] });
}

function effectiveStrategy(strategy: MergeStrategy, basket: Basket): MergeStrategy {
  if (strategy !== "useGuestIfExistingEmpty") return strategy;
  return basket.items.length === 0 ? "useGuest" : "useExisting";
}

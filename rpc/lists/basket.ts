import { RpcError, type Issue } from "../error.ts";
import {
  identifyLine,
  indexLines,
  isStoredData,
  toStoredJson,
  type StoredData,
} from "./line-identity.ts";
import { isTransferable, type TransferableDocument } from "./transfer.ts";
import type { BasketOptions, MergeStrategy } from "../shop.ts";

/** The ID of a variant or a product: a positive integer, or a string of 1 to 64 characters. */
export type ProductReference = string | number;

/** JSON data that a frontend stores with a line, for example an engraving. */
export type CustomData = Readonly<Record<string, unknown>>;

/** A line as a client sees it. */
export interface BasketItem {
  readonly key: string;
  readonly variantId: ProductReference;
  readonly quantity: number;
  readonly customData?: CustomData | undefined;
  /** Epoch milliseconds. */
  readonly addedAt: number;
}

/** A line to add. */
export interface NewLine {
  readonly key: string;
  readonly variantId: ProductReference;
  readonly quantity: number;
  /** As JSON text, because parsing that of a large basket takes too long. */
  readonly customData?: StoredData | undefined;
}

/** A line as it is stored. */
export interface BasketLine extends NewLine {
  /** Epoch milliseconds. */
  readonly addedAt: number;
}

/** A basket as it is stored. */
export interface Basket extends TransferableDocument {
  readonly items: readonly BasketLine[];
  /** The number of changes so far. */
  readonly revision: number;
}

/** A basket as a client sees it. */
export interface BasketView {
  /** `null` until the first line is added. */
  readonly key: string | null;
  readonly items: readonly BasketItem[];
  /** The sum of the quantities of all lines. */
  readonly itemCount: number;
  readonly revision: number;
}

/**
 * The outcome of a merge for one line: `added`; `summed` with an equal line; `capped` at `maxQuantity`; `left_out`
 * because the list is full, or because the shop's strategy keeps the other list.
 */
export type MergedLine =
  | { readonly variantId: ProductReference; readonly outcome: "added" | "summed" | "capped" }
  | {
      readonly variantId: ProductReference;
      readonly quantity: number;
      readonly outcome: "left_out";
    };

export const emptyBasket: Basket = { items: [], revision: 0 };

/** Whether a stored value is a basket with valid lines. */
export function isBasket(value: unknown): value is Basket {
  const { items, revision } = (value ?? {}) as Partial<Basket>;
  return (
    Array.isArray(items) &&
    items.every(isLine) &&
    Number.isSafeInteger(revision) &&
    isTransferable(value)
  );
}

/** Whether a stored value can be the ID of a variant or a product. */
export function isProductReference(value: unknown): value is ProductReference {
  return typeof value === "string" || Number.isSafeInteger(value);
}

/**
 * Adds all lines, or none of them. Lines of the same variant with the same custom data become one line.
 * @param pathOf the path of an added line's quantity in the input
 * @throws RpcError `limit_reached`, with the path of a quantity that is too large
 */
export function addItems(
  basket: Basket,
  added: readonly NewLine[],
  options: BasketOptions,
  now: number,
  pathOf: (index: number) => Issue["path"],
): Basket {
  const items = [...basket.items];
  const most = Math.max(options.maxItems, items.length);
  const variantIds = added.map(({ variantId }) => variantId);
  const positions = indexLines(items, variantIds);
  for (const [index, line] of added.entries()) {
    const identity = identifyLine(line);
    const at = positions.get(identity);
    const existing = at === undefined ? undefined : items[at];
    const quantity = (existing?.quantity ?? 0) + line.quantity;
    if (quantity > options.maxQuantity) throw tooMany(pathOf(index), options);
    if (existing !== undefined && at !== undefined) {
      items[at] = { ...existing, quantity };
      continue;
    }
    if (items.length === most) {
      throw new RpcError("limit_reached", {
        detail: `A basket of this shop can have up to ${options.maxItems} lines`,
      });
    }
    positions.set(identity, items.length);
    items.push({ ...line, addedAt: now });
  }
  return changed(basket, items);
}

/**
 * Changes a line. If it becomes equal to another line, the two become one.
 * @throws RpcError `unknown_item`, `limit_reached`
 */
export function updateItem(
  basket: Basket,
  key: string,
  change: { readonly quantity?: number | undefined; readonly customData?: StoredData | undefined },
  options: BasketOptions,
): Basket {
  const existing = findItem(basket, key);
  const next = {
    ...existing,
    quantity: change.quantity ?? existing.quantity,
    customData: change.customData ?? existing.customData,
  };
  const isSameLine =
    change.customData === undefined || identifyLine(next) === identifyLine(existing);
  if (isSameLine && next.quantity === existing.quantity) return basket;
  const twin = isSameLine ? undefined : findTwin(basket, next);
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
 * Merges a guest's lines into the user's basket, by the shop's strategy. With `merge`, all of the user's lines stay,
 * and the guest's are added up to twice `maxItems` lines. The report names each line that is left out.
 */
export function mergeItems(
  basket: Basket,
  guestItems: readonly BasketLine[],
  options: BasketOptions,
): { list: Basket; lines: readonly MergedLine[] } {
  if (guestItems.length === 0) return { list: basket, lines: [] };
  const strategy = effectiveStrategy(options.mergeStrategy, basket);
  if (strategy === "useExisting") return { list: basket, lines: guestItems.map(leaveOut) };
  const isReplaced = strategy === "useGuest";
  const items = isReplaced ? [] : [...basket.items];
  const most = Math.max(2 * options.maxItems, items.length, isReplaced ? guestItems.length : 0);
  const variantIds = guestItems.map(({ variantId }) => variantId);
  const positions = indexLines(items, variantIds);
  const lines = guestItems.map((line): MergedLine => {
    const { variantId } = line;
    const identity = identifyLine(line);
    const at = positions.get(identity);
    const existing = at === undefined ? undefined : items[at];
    const sum = (existing?.quantity ?? 0) + line.quantity;
    const quantity = Math.min(sum, Math.max(options.maxQuantity, existing?.quantity ?? 0));
    if (existing !== undefined && at !== undefined) {
      items[at] = { ...existing, quantity };
      return { variantId, outcome: quantity < sum ? "capped" : "summed" };
    }
    if (items.length === most) return leaveOut(line);
    positions.set(identity, items.length);
    items.push({ ...line, quantity });
    return { variantId, outcome: quantity < sum ? "capped" : "added" };
  });
  const dropped = isReplaced ? basket.items.map(leaveOut) : [];
  return { list: changed(basket, items), lines: [...lines, ...dropped] };
}

// --- Internal helpers ---

function isLine(value: unknown): value is BasketLine {
  const { key, variantId, quantity, customData, addedAt } = (value ?? {}) as Partial<BasketLine>;
  return (
    typeof key === "string" &&
    isProductReference(variantId) &&
    Number.isSafeInteger(quantity) &&
    (customData === undefined || isStoredData(customData)) &&
    Number.isFinite(addedAt)
  );
}

/** Another line with the same variant and the same custom data. */
function findTwin(basket: Basket, line: BasketLine): BasketLine | undefined {
  const others = basket.items.filter(({ key }) => key !== line.key);
  const at = indexLines(others, [line.variantId]).get(identifyLine(line));
  return at === undefined ? undefined : others[at];
}

function changed(basket: Basket, items: readonly BasketLine[]): Basket {
  const stored = items.some(isOlder) ? items.map(store) : items;
  return { ...basket, items: stored, revision: basket.revision + 1 };
}

function isOlder({ customData }: BasketLine): boolean {
  return typeof customData === "object";
}

/** Converts a line of an earlier version to today's form. */
function store(line: BasketLine): BasketLine {
  return typeof line.customData === "object"
    ? { ...line, customData: toStoredJson(line.customData) }
    : line;
}

function findItem(basket: Basket, key: string): BasketLine {
  const item = basket.items.find((candidate) => candidate.key === key);
  if (item === undefined) {
    throw new RpcError("unknown_item", { detail: "The basket has no line with this key" });
  }
  return item;
}

function leaveOut({ variantId, quantity }: BasketLine): MergedLine {
  return { variantId, quantity, outcome: "left_out" };
}

function tooMany(path: Issue["path"], { maxQuantity }: BasketOptions): RpcError {
  const message = `The quantity of a line in this shop can be up to ${maxQuantity}`;
  return new RpcError("limit_reached", { detail: message, errors: [{ path, message }] });
}

function effectiveStrategy(strategy: MergeStrategy, basket: Basket): MergeStrategy {
  if (strategy !== "useGuestIfExistingEmpty") return strategy;
  return basket.items.length === 0 ? "useGuest" : "useExisting";
}

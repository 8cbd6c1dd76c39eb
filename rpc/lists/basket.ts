import type { Issue } from "../error.ts";
import { jsonText } from "../method.ts";
import { assertQuantity, type BasketOptions } from "./basket-limits.ts";
import {
  identifyLine,
  indexLines,
  isBasketLine,
  toStoredJson,
  type BasketItem,
  type BasketLine,
  type MergedLine,
} from "./basket-line.ts";
import { tooManyItems, unknownItem } from "./list-errors.ts";
import { isListDocument, type ListDocument } from "./list-document.ts";

/** A basket as it is stored. */
export interface Basket extends ListDocument {
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

export const emptyBasket: Basket = { items: [], revision: 0 };

/** Whether a stored value is a basket with valid lines. */
export function isBasket(value: unknown): value is Basket {
  const { items, revision } = (value ?? {}) as Partial<Basket>;
  return (
    Array.isArray(items) &&
    items.every(isBasketLine) &&
    Number.isSafeInteger(revision) &&
    isListDocument(value)
  );
}

/**
 * The result of the basket's methods. Custom data is stored as JSON, and a result with custom data is JSON until a
 * method reads it: parsing that of a full basket would hold the event loop longer than the rest of the call.
 */
export function viewBasket(
  key: string | undefined,
  { items, revision }: Basket,
): { readonly basket: BasketView } {
  const itemCount = items.reduce((count, item) => count + item.quantity, 0);
  const basket = { key: key ?? null, items: items.filter(isPlain), itemCount, revision };
  if (basket.items.length === items.length) return { basket };
  const empty = JSON.stringify({ basket: { ...basket, items: [] } });
  const lines = items.map(writeLine).join(",");
  return parseLater(empty.replace('"items":[]', () => `"items":[${lines}]`));
}

/**
 * Adds all lines, or none of them. Lines of the same variant with the same custom data become one line.
 * @param pathOf the path of an added line's quantity in the input
 * @throws RpcError `limit_reached`, with the path of a quantity that is too large
 */
export function addItems(
  basket: Basket,
  added: readonly Omit<BasketLine, "addedAt">[],
  options: BasketOptions,
  now: number,
  pathOf: (index: number) => Issue["path"],
): Basket {
  const items = [...basket.items];
  const most = Math.max(options.maxItems, items.length);
  const positionOf = indexLines(items, added);
  for (const [index, line] of added.entries()) {
    const at = positionOf(line);
    const existing = items[at];
    const quantity = (existing?.quantity ?? 0) + line.quantity;
    assertQuantity(quantity, options, pathOf(index));
    if (at === most) {
      throw tooManyItems("basket", options.maxItems);
    }
    items[at] = existing === undefined ? { ...line, addedAt: now } : { ...existing, quantity };
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
  change: {
    readonly quantity?: number | undefined;
    readonly customData?: BasketLine["customData"];
  },
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
  const others = basket.items.filter((item) => item.key !== key);
  const twin = isSameLine ? undefined : others[indexLines(others, [next])(next)];
  const quantity = next.quantity + (twin?.quantity ?? 0);
  assertQuantity(quantity, options, ["quantity"]);
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
  const { mergeStrategy: strategy } = options;
  const isEmpty = basket.items.length === 0;
  if (strategy === "useExisting" || (strategy === "useGuestIfExistingEmpty" && !isEmpty)) {
    return { list: basket, lines: guestItems.map(leaveOut) };
  }
  const isReplaced = strategy !== "merge";
  const items = isReplaced ? [] : [...basket.items];
  const most = Math.max(2 * options.maxItems, items.length, isReplaced ? guestItems.length : 0);
  const positionOf = indexLines(items, guestItems);
  const lines = guestItems.map((line): MergedLine => {
    const at = positionOf(line);
    if (at === most) return leaveOut(line);
    const existing = items[at];
    const sum = (existing?.quantity ?? 0) + line.quantity;
    const quantity = Math.min(sum, Math.max(options.maxQuantity, existing?.quantity ?? 0));
    items[at] = { ...(existing ?? line), quantity };
    const outcome = quantity < sum ? "capped" : existing === undefined ? "added" : "summed";
    return { variantId: line.variantId, outcome };
  });
  const dropped = isReplaced ? basket.items.map(leaveOut) : [];
  return { list: changed(basket, items), lines: [...lines, ...dropped] };
}

// --- Internal helpers ---

function changed(basket: Basket, items: readonly BasketLine[]): Basket {
  return { ...basket, items: withStoredJson(items), revision: basket.revision + 1 };
}

/** Converts lines of an earlier version, which had custom data as an object. */
function withStoredJson(items: readonly BasketLine[]): readonly BasketLine[] {
  if (!items.some(({ customData }) => typeof customData === "object")) return items;
  return items.map((line) => ({
    ...line,
    customData: line.customData && toStoredJson(line.customData),
  }));
}

function findItem(basket: Basket, key: string): BasketLine {
  const item = basket.items.find((candidate) => candidate.key === key);
  if (item === undefined) {
    throw unknownItem("basket");
  }
  return item;
}

function leaveOut({ variantId, quantity }: BasketLine): MergedLine {
  return { variantId, quantity, outcome: "left_out" };
}

function parseLater(text: string): { readonly basket: BasketView } {
  let parsed: { readonly basket: BasketView } | undefined;
  const result = {
    get basket() {
      parsed ??= JSON.parse(text) as { readonly basket: BasketView };
      return parsed.basket;
    },
  };
  // A method can change the result after it has read it, so the text is valid only until then.
  const get = () => (parsed === undefined ? text : undefined);
  return Object.defineProperty(result, jsonText, { get });
}

function isPlain(line: BasketLine): line is BasketLine & { customData?: undefined } {
  return line.customData === undefined;
}

function writeLine(line: BasketLine): string {
  const { customData, addedAt, ...item } = line;
  if (customData === undefined) return JSON.stringify(line);
  const head = JSON.stringify(item).slice(0, -1);
  return `${head},"customData":${toStoredJson(customData)},"addedAt":${addedAt}}`;
}

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

/** A line as it is stored. */
export interface BasketLine extends Omit<BasketItem, "customData"> {
  /** Canonical JSON, because parsing that of a large basket takes too long. Earlier versions stored the object itself. */
  readonly customData?: string | CustomData | undefined;
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

/** Whether a stored value can be the ID of a variant or a product. */
export function isProductReference(value: unknown): value is ProductReference {
  return typeof value === "string" || Number.isSafeInteger(value);
}

/** Whether a stored value is a line. Doesn't parse its custom data, because that takes too long. */
export function isBasketLine(value: unknown): value is BasketLine {
  const { key, variantId, quantity, customData, addedAt } = (value ?? {}) as Partial<BasketLine>;
  return (
    typeof key === "string" &&
    isProductReference(variantId) &&
    Number.isSafeInteger(quantity) &&
    (customData === undefined || isCustomData(customData)) &&
    Number.isFinite(addedAt)
  );
}

/**
 * Finds lines by their identity, in linear time. Computes it for lines with the wanted variants only, because that takes
 * time.
 * @returns a function that returns the position of the equal line; without one, the end of the list
 */
export function indexLines(
  items: readonly BasketLine[],
  wanted: readonly Pick<BasketLine, "variantId">[],
): (line: Pick<BasketLine, "variantId" | "customData">) => number {
  const variantIds = new Set(wanted.map(({ variantId }) => variantId));
  const positions = new Map<string, number>();
  for (const [position, item] of items.entries()) {
    if (!variantIds.has(item.variantId)) continue;
    const identity = identifyLine(item);
    if (!positions.has(identity)) positions.set(identity, position);
  }
  return (line) => {
    const identity = identifyLine(line);
    const position = positions.get(identity) ?? items.length;
    positions.set(identity, position);
    return position;
  };
}

/** The identity of a line: two lines with the same variant and the same custom data share it. */
export function identifyLine({
  variantId,
  customData = "{}",
}: Pick<BasketLine, "variantId" | "customData">): string {
  return `${typeof variantId}:${variantId}:${toStoredJson(customData)}`;
}

/** The JSON of stored custom data. */
export function toStoredJson(customData: string | CustomData): string {
  return typeof customData === "string" ? customData : canonicalJson(customData);
}

/**
 * Writes a JSON value as canonical text, the same for equal values: keys are sorted at all levels, and `-0` is
 * `0`. The time is linear in the value's size.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(isSorted(value) ? value : sort(value));
}

// --- Internal helpers ---

function isCustomData(value: string | CustomData | null): boolean {
  if (typeof value === "string") return value.startsWith("{") && value.endsWith("}");
  return typeof value === "object" && value !== null;
}

/** Most values are sorted, and then need no copy. */
function isSorted(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let last: string | undefined;
  for (const key in value) {
    if (last !== undefined && key < last) return false;
    if (!isSorted((value as Record<string, unknown>)[key])) return false;
    last = key;
  }
  return true;
}

/** Objects list keys like `"10"` first, by their number, so their order is always the same, too. */
function sort(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sort);
  const entries = Object.entries(value).map(([key, part]) => [key, sort(part)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

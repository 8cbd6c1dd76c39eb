import type { CustomData, ProductReference } from "./basket.ts";

interface Line {
  readonly variantId: ProductReference;
  readonly customData?: CustomData | undefined;
}

/**
 * A string that two lines share if they are one line: the same variant with the same custom data. Lines are compared
 * by it and not pair by pair, so the work is linear. {@link sortKeys} makes the order of the keys irrelevant.
 */
export function identifyLine({ variantId, customData = {} }: Line): string {
  return `${typeof variantId}:${variantId}:${JSON.stringify(customData)}`;
}

/** Finds lines by their identity. Only lines of the given variants are identified, because that takes time. */
export function indexLines(
  items: readonly Line[],
  variantIds: Iterable<ProductReference>,
): Map<string, number> {
  const wanted = new Set(variantIds);
  const positions = new Map<string, number>();
  for (const [position, item] of items.entries()) {
    if (!wanted.has(item.variantId)) continue;
    const identity = identifyLine(item);
    if (!positions.has(identity)) positions.set(identity, position);
  }
  return positions;
}

/** A copy of a JSON value whose objects have their keys in one order, so that equal values have equal JSON. */
export function sortKeys<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys) as T;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sortKeys(part)])) as T;
}

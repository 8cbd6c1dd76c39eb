import type { NewLine, ProductReference } from "./basket.ts";
import { canonicalJson } from "./canonical-json.ts";

/** Custom data as a basket stores it: canonical JSON. Baskets of earlier versions have the object itself. */
export type StoredData = string | Readonly<Record<string, unknown>>;

/**
 * The identity of a line: two lines with the same variant and the same custom data share it. It replaces comparison
 * pair by pair, so the work is linear.
 */
export function identifyLine({ variantId, customData = "{}" }: NewLine): string {
  return `${typeof variantId}:${variantId}:${toStoredJson(customData)}`;
}

/** Whether a stored value is custom data. Doesn't parse its JSON, because that takes too long. */
export function isStoredData(value: unknown): value is StoredData {
  if (typeof value === "string") return value.startsWith("{") && value.endsWith("}");
  return typeof value === "object" && value !== null;
}

/** The JSON of stored custom data. */
export function toStoredJson(customData: StoredData): string {
  return typeof customData === "string" ? customData : canonicalJson(customData);
}

/** Finds lines by their identity. Computes it for the given variants only, because that takes time. */
export function indexLines(
  items: readonly NewLine[],
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

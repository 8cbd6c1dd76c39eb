/**
 * Writes a JSON value as a text that equal values have in common: keys are sorted at all levels, and `-0` is
 * `0`. Takes time in proportion to the value's size.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(isSorted(value) ? value : sort(value));
}

// --- Internal helpers ---

/** Most values are, and then need no copy. */
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

/** Keys like `"10"` come first in any object, by their number: that order is always the same, too. */
function sort(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sort);
  const entries = Object.entries(value).map(([key, part]) => [key, sort(part)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

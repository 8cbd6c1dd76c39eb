/**
 * Writes a JSON value as canonical text, the same for equal values: keys are sorted at all levels, and `-0` is
 * `0`. The time is linear in the value's size.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(isSorted(value) ? value : sort(value));
}

// --- Internal helpers ---

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

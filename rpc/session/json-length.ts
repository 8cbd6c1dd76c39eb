/**
 * Whether the JSON of a value is certainly longer than `length` characters. It stops reading there, so a value
 * that is too large is neither copied nor written first.
 */
export function isJsonLongerThan(value: unknown, length: number): boolean {
  return charge(value, length) < 0;
}

// --- Internal helpers ---

/** @returns the rest of a budget of characters; below 0, the JSON is longer */
function charge(value: unknown, budget: number): number {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    return budget;
  }
  if (typeof value === "string") return budget - value.length - 2;
  if (typeof value !== "object" || value === null) return budget - 1;
  if ("toJSON" in value) return budget;
  let left = budget - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index++) {
      left = charge(value[index], left) - (index === 0 ? 0 : 1);
    }
    return left;
  }
  for (const key in value) {
    if (left < 0) return left;
    const after = charge((value as Record<string, unknown>)[key], left);
    // JSON leaves out an undefined member, with its key.
    left = after === left ? left : after - key.length - 3;
  }
  return left;
}

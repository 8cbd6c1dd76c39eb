/**
 * Whether JSON returns a value unchanged, except for symbol keys and properties that aren't enumerable. Faster than
 * serializing and parsing it.
 */
export function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isJsonObject(value);
    default:
      return false;
  }
}

// --- Internal helpers ---

function isJsonObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    const items = value as readonly unknown[];
    return items.every(isJson) && Object.keys(items).length === items.length;
  }
  if (prototype !== Object.prototype) return false;
  // `for in` needs no list of the keys, which would take more memory than the rest of a write.
  for (const key in value) {
    if (!isJson((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

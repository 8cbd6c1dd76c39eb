/** A copy as `structuredClone` makes it, in a fraction of the time for values as simple as JSON. */
export function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return copyOfArray(value) as T;
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  // A spread and one pass over its keys, because a copy field by field takes twice the time.
  const copy = { ...value };
  for (const key in copy) {
    const part = copy[key];
    if (typeof part === "object" && part !== null) copy[key] = copyOf(part);
  }
  return copy;
}

// --- Internal helpers ---

function copyOfArray(values: readonly unknown[]): unknown[] {
  const copy = values.slice();
  for (let index = 0; index < copy.length; index++) {
    if (typeof copy[index] === "object") copy[index] = copyOf(copy[index]);
  }
  return copy;
}

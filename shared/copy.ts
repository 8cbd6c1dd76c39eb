/** A copy as `structuredClone` makes it, in a fraction of the time for what is as simple as JSON. */
export function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const isSimple = Object.getPrototypeOf(value) === Object.prototype;
  if (!isSimple || Object.hasOwn(value, "__proto__")) return structuredClone(value);
  const copy = { ...(value as Record<string, unknown>) };
  for (const key of Object.keys(copy)) {
    if (typeof copy[key] === "object") copy[key] = copyOf(copy[key]);
  }
  return copy as T;
}

import { isDeepStrictEqual } from "node:util";

/**
 * Three-way merge: applies the difference between `base` and `ours` to `current`, field by field. Parallel
 * changes of different fields all stay. An array counts as one field.
 */
export function mergeChanges<T>(base: unknown, ours: T, current: unknown): T {
  if (!isPlainObject(base) || !isPlainObject(ours) || !isPlainObject(current)) return ours;
  const touched = [...new Set([...Object.keys(base), ...Object.keys(ours)])].filter(
    (key) => !isDeepStrictEqual(own(base, key), own(ours, key)),
  );
  const others = Object.entries(current).filter(([key]) => !touched.includes(key));
  const changed = touched
    .filter((key) => own(ours, key) !== undefined)
    .map((key) => [key, mergeChanges(own(base, key), own(ours, key), own(current, key))]);
  // `fromEntries` defines fields; assigning a `__proto__` would change the object's prototype.
  return Object.fromEntries([...others, ...changed]) as T;
}

// --- Internal helpers ---

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

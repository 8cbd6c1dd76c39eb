import { isDeepStrictEqual } from "node:util";

/**
 * Carries what changed from `base` to `ours` over to `current`, field by field, so that of parallel
 * changes to one value each keeps its own. Arrays count as one field.
 */
export function rebase<T>(base: unknown, ours: T, current: unknown): T {
  if (!isPlainObject(base) || !isPlainObject(ours) || !isPlainObject(current)) return ours;
  const touched = [...new Set([...Object.keys(base), ...Object.keys(ours)])].filter(
    (key) => !isDeepStrictEqual(own(base, key), own(ours, key)),
  );
  const kept = Object.entries(current).filter(([key]) => !touched.includes(key));
  const changed = touched
    .filter((key) => own(ours, key) !== undefined)
    .map((key) => [key, rebase(own(base, key), own(ours, key), own(current, key))]);
  // `fromEntries` defines fields; assigning a `__proto__` would change the object's prototype.
  return Object.fromEntries([...kept, ...changed]) as T;
}

// --- Internal helpers ---

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

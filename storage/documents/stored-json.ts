import { copyOf } from "../../shared/copy.ts";
import { findJsonFault } from "./json-fault.ts";

/**
 * Checks a value before it is stored as JSON, so that no part of it is lost without an error.
 * @param name the beginning of the message, for example `context.updateUser: the user`
 * @throws TypeError if JSON would change or drop a part; the message names the part
 */
export function assertStorable(value: unknown, name: string): void {
  const fault = findJsonFault(value);
  if (fault === undefined) return;
  const part = fault.path === "" ? "it" : `"${fault.path}"`;
  throw new TypeError(
    `${name} cannot be stored as JSON: ${part} is ${fault.found}. Use plain objects, arrays, strings, finite numbers, booleans or null`,
  );
}

/**
 * Copies a value as a later read of the storage returns it: JSON calls `toJSON`, for example that of a `Date`, and leaves
 * out `undefined` properties.
 * @throws TypeError as {@link assertStorable}
 */
export function storedCopyOf<T>(value: T, name: string): T {
  if (isJson(value)) return copyOf(value);
  assertStorable(value, name);
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? (undefined as T) : (JSON.parse(text) as T);
}

/**
 * Whether JSON returns a value unchanged, except for symbol keys and properties that aren't enumerable. Faster than
 * serializing and parsing it.
 */
export function isJson(value: unknown): boolean {
  return isJsonAt(value, 0);
}

// --- Internal helpers ---

/** A value that is nested deeper may be circular. */
const maxDepth = 500;

function isJsonAt(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || (depth < maxDepth && isJsonObject(value, depth + 1));
    default:
      return false;
  }
}

function isJsonObject(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    const items = value as readonly unknown[];
    return (
      items.every((item) => isJsonAt(item, depth)) && Object.keys(items).length === items.length
    );
  }
  if (prototype !== Object.prototype) return false;
  // `for in` needs no list of the keys, which would take more memory than the rest of a write.
  for (const key in value) {
    if (!isJsonAt((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
}

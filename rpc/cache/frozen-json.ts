import { findJsonFault } from "../../storage/documents/json-fault.ts";
import { jsonText } from "../method.ts";

/**
 * Takes a frozen copy of a value through JSON.
 * @returns the same as {@link freezeJson}; `undefined` for `undefined`
 * @throws TypeError if JSON can't hold a part of the value; the message names the part
 */
export function toFrozenJson(value: unknown): ReturnType<typeof freezeJson> | undefined {
  const fault = value === undefined ? undefined : findJsonFault(value);
  if (fault !== undefined) {
    const part = fault.path === "" ? "it" : `"${fault.path}"`;
    throw new TypeError(
      `The value that cached() loaded cannot be cached as JSON: ${part} is ${fault.found}. Return plain objects, arrays, strings, finite numbers, booleans or null`,
    );
  }
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : freezeJson(JSON.parse(text), text);
}

/**
 * Freezes a value that was parsed from JSON. Nobody else may have it.
 * @returns the value, which has its JSON, so a method that returns it needs no serialization; the `bytes` of its JSON;
 *   and the approximate memory of both in bytes
 */
export function freezeJson(value: unknown, text = JSON.stringify(value)) {
  if (typeof value === "object" && value !== null) {
    Object.defineProperty(value, jsonText, { value: text });
  }
  return { value, bytes: Buffer.byteLength(text), size: sizeOf(text) + freeze(value) };
}

// --- Internal helpers ---

/** @returns the size of the value in V8's heap, at most */
function freeze(value: unknown): number {
  if (typeof value === "string") return sizeOf(value);
  // A number with a fraction is an object of its own.
  if (typeof value === "number") return 16;
  if (typeof value !== "object" || value === null) return 0;
  let size = objectSize;
  for (const key in value) {
    size += fieldSize + freeze((value as Readonly<Record<string, unknown>>)[key]);
  }
  Object.freeze(value);
  return size;
}

const objectSize = 40;
const fieldSize = 8;

/** V8 stores a string with one byte for each character, if all of them are Latin-1. */
function sizeOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the range of Latin-1
  return 24 + (/[^\0-\xFF]/.test(text) ? 2 : 1) * text.length;
}

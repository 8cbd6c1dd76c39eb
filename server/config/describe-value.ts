import { serverGroups, shopGroups } from "./config.ts";
import type { KeyTable } from "./keys/key.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";

/**
 * Describes a value of the config in an error, without revealing a secret.
 * @param key the name of its key; `undefined` if no such key exists
 */
export function describeValue(value: unknown, key: string | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const isPublic = key !== undefined && publicKeys.has(key);
  if (typeof value === "number") return isPublic ? String(value) : "a number";
  if (typeof value === "string") {
    if (isPublic && isHarmless(value)) return JSON.stringify(value);
    return `a string of ${value.length} characters`;
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

// --- Internal helpers ---

/** A misplaced secret is longer. A URL with a password contains `@`. */
function isHarmless(text: string): boolean {
  return text.length < 32 && !text.includes("@");
}

/** The names of public keys, and of the one public option of a storage. */
const publicKeys: ReadonlySet<string> = new Set([
  "driver",
  ...namesOf({ ...topKeys, ...shopKeys, ...shopGroups, ...serverGroups }),
]);

function namesOf(table: KeyTable): string[] {
  return Object.entries(table).flatMap(([name, { visibility, keys = {} }]) => {
    return visibility === "public" ? [name] : namesOf(keys);
  });
}

import { loadPasswords } from "#passwords";
import * as z from "zod/mini";
import { boundedText, trimmedText } from "../schema.ts";
import { canonicalJson } from "../lists/basket-line.ts";
import { secret } from "../redaction/secret.ts";

/** The ID of a variant or a product: a positive integer, or a string of 1 to 64 characters. */
export const productReference = z.union([z.int().check(z.positive()), boundedText(64)], {
  error: "Expected a positive integer or a string of 1 to 64 characters",
});

/** The key of a basket's line, or of a wishlist's item. */
export const itemKey = boundedText(64);

/** Custom data of a line: a JSON object of up to 4,096 characters. The output is canonical JSON. */
export const customData = z.pipe(
  z.custom<Record<string, z.core.util.JSONType>>().check(({ value, issues }) => {
    const fault = findFault(value);
    if (fault !== undefined) issues.push({ code: "custom", message: fault, input: value });
  }),
  z.transform((data: Record<string, z.core.util.JSONType>) => canonicalJson(data)),
);

/** The basket's revision that the client has seen: with another one, the basket stays as it is. */
export const revision = z.optional(z.int().check(z.minimum(0)));

export const quantity = z.int().check(z.minimum(1));

/** An email address; removes the spaces that phone keyboards add. */
export const email = z.pipe(z.string().check(z.trim(), z.maxLength(254)), z.email());

/**
 * A new password: 8 characters or more, of any kind, and not a common password (ASVS 5.0, 6.2.1, 6.2.4, 6.2.5,
 * 6.2.9).
 */
export const newPassword = secret(
  z.string().check(
    z.minLength(8),
    z.maxLength(128),
    z.refine(
      async (text) => !(await isCommonPassword(text)),
      "Expected a password that fewer people choose",
    ),
  ),
);

/** A password to check. */
export const password = secret(boundedText(1024));

export const personName = trimmedText(100);

// --- Internal helpers ---

/** Checks the size first, and nothing else of a value that is too large. */
function findFault(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    return "Expected a JSON object";
  if (sizeOf(data) > 4096) return "Expected up to 4096 characters of JSON";
  if (hasKey(data, "__proto__")) return "Expected no key named __proto__";
  return isJsonValue(data) ? undefined : "Expected JSON values only";
}

/** Equal in JSON, which doesn't distinguish `-0` from 0. */
function isJsonValue(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean";
  if (value === null) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === Array.prototype;
  return isPlain && Object.values(value).every(isJsonValue);
}

/** `Infinity` for a value that JSON can't hold, such as a circle. */
function sizeOf(data: object): number {
  try {
    return JSON.stringify(data).length;
  } catch {
    return Infinity;
  }
}

function hasKey(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, key) || Object.values(value).some((part) => hasKey(part, key));
}

let commonPasswords: Promise<ReadonlySet<string>> | undefined;

/** Whether a text is one of some 49,000 common passwords, in a worker of 3,000 (ASVS 5.0, 6.2.4); ignores case. */
async function isCommonPassword(text: string): Promise<boolean> {
  // Loaded when a user sets the first password, because it takes 50 ms and some megabytes.
  commonPasswords ??= loadPasswords().then((list) => new Set(list));
  return (await commonPasswords).has(text.normalize("NFKC").toLowerCase());
}

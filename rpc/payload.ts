import * as z from "zod";
import { isCommonPassword } from "./common-password.ts";
import { secret } from "./secret.ts";

/** What a shop sells or shows: a positive integer, or a string of 1 to 64 characters. */
export const productReference = z.union([z.int().positive(), z.string().min(1).max(64)], {
  error: "Expected a positive integer or a string of 1 to 64 characters",
});

/** Names a line of a basket or an item of a wishlist. */
export const itemKey = z.string().min(1).max(64);

/** Data of a frontend's own: a JSON object of up to 4,096 characters, as it will be read again (`-0` as 0). */
export const customData = z
  // What zod would leave out without a word.
  .custom<Record<string, z.core.util.JSONType>>(
    (data) => !hasKey(data, "__proto__"),
    "Expected no key named __proto__",
  )
  .pipe(z.record(z.string(), z.json()))
  .refine((data) => JSON.stringify(data).length <= 4096, "Expected up to 4096 characters of JSON")
  .transform((data) => JSON.parse(JSON.stringify(data)) as typeof data);

export const quantity = z.int().min(1);

/** An e-mail address, without the spaces that keyboards of phones add to it. */
export const email = z.string().trim().max(254).pipe(z.email());

/**
 * A password that is being set: 8 characters or more, of any kind, that are not among those everybody tries
 * first (ASVS 5.0, 6.2.1, 6.2.4, 6.2.5, 6.2.9).
 */
export const newPassword = secret(
  z
    .string()
    .min(8)
    .max(128)
    .refine(
      async (text) => !(await isCommonPassword(text)),
      "Expected a password that fewer people choose",
    ),
);

/** A password that is being checked. */
export const password = secret(z.string().min(1).max(1024));

export const personName = z.string().trim().min(1).max(100);

// --- Internal helpers ---

function hasKey(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, key) || Object.values(value).some((part) => hasKey(part, key));
}

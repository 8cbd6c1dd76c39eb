import { createHash } from "node:crypto";

/**
 * Converts any ID to a part of a key that every driver distinguishes from all others. Storages cut keys at `?`, fold
 * `/`, `\`, and `::`, hide a trailing `$`, reject `../..`, and ignore case, so other IDs become their SHA-256.
 */
export function toKeySegment(id: string | number): string {
  const text = String(id);
  if (plainSegment.test(text)) return text;
  // UTF-16, because UTF-8 replaces every lone surrogate by the same character.
  return `=${createHash("sha256").update(text, "utf16le").digest("hex")}`;
}

/** Keys: results of {@link toKeySegment}, joined by colons. */
export const keyPattern =
  /^(?:[a-z0-9_-]{1,64}|=[0-9a-f]{64})(?::(?:[a-z0-9_-]{1,64}|=[0-9a-f]{64}))*$/;

// --- Internal helpers ---

const plainSegment = /^[a-z0-9_-]{1,64}$/;

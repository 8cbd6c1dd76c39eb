import { createHash } from "node:crypto";

/**
 * Makes any id a part of a key that every driver keeps apart from all others.
 *
 * Storages cut keys at `?`, fold `/`, `\` and `::`, hide a trailing `$`, refuse `../..`, and merge upper
 * with lower case; so what is not plain is replaced by its SHA-256. `7` and `"7"` are the same id.
 */
export function toKeySegment(id: string | number): string {
  const text = String(id);
  if (plainSegment.test(text)) return text;
  // UTF-16, for UTF-8 makes every lone surrogate the same replacement character.
  return `=${createHash("sha256").update(text, "utf16le").digest("hex")}`;
}

/** Whether a key consists of such segments, joined by colons. */
export function isKey(key: string): boolean {
  return safeSegments.test(key);
}

// --- Internal helpers ---

const plainSegment = /^[a-z0-9_-]{1,64}$/;
const safeSegments = /^(?:[a-z0-9_-]{1,64}|=[0-9a-f]{64})(?::(?:[a-z0-9_-]{1,64}|=[0-9a-f]{64}))*$/;

import { systemRandom } from "../random.ts";

/** Wraps a value for a storage. The version comes first, so a comparison needs no parser. */
export function toEnvelope(value: string, expiresAt: number | undefined) {
  // Never repeated: otherwise a document that was removed and created again would match an old snapshot.
  processId ??= systemRandom.bytes(6).toString("base64url");
  const version = `${processId}-${(++count).toString(36)}`;
  const end = expiresAt === undefined ? "" : `"expiresAt":${expiresAt},`;
  // `join` makes one flat string. With `+`, V8 would keep the parts as long as the text is stored.
  const text = [toVersionPrefix(version), end, `"value":`, value, "}"].join("");
  return { version, text };
}

/** Parses a text of {@link toEnvelope}; `undefined` for any other text. */
export function parseEnvelope(text: string) {
  const envelope = parseObject(text);
  if (envelope === undefined || !Object.hasOwn(envelope, "value")) return undefined;
  const { version, expiresAt, value } = envelope;
  if (typeof version !== "string" || !text.startsWith(toVersionPrefix(version))) return undefined;
  if (expiresAt !== undefined && typeof expiresAt !== "number") return undefined;
  return { version, expiresAt, value };
}

/** The beginning of every text with this version. */
export function toVersionPrefix(version: string): string {
  return `{"version":"${version}",`;
}

// --- Internal helpers ---

/**
 * 48 random bits: two of a thousand processes share them with a probability of 1 in 500 million. Created by the first
 * write, because a worker has no random values while its modules load.
 */
let processId: string | undefined;
let count = 0;

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

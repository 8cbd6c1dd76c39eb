import { getRandomValues } from "uncrypto";

/** A document as it lies in a storage. */
export interface Envelope {
  /** Different for every write that ever was. */
  readonly version: string;
  /** Epoch milliseconds; absent: never. */
  readonly expiresAt?: number | undefined;
  readonly value: unknown;
}

/** Wraps a value for a storage. The version comes first, so that comparing it needs no parser. */
export function toEnvelope(
  value: string,
  expiresAt: number | undefined,
): { version: string; text: string } {
  // Unique for ever: a document removed and made again is never taken for the old one.
  const version = `${processId}-${(++count).toString(36)}`;
  const end = expiresAt === undefined ? "" : `"expiresAt":${expiresAt},`;
  // Joined into one string: of what is concatenated, V8 keeps the parts, for as long as it is stored.
  const text = [toVersionPrefix(version), end, `"value":`, value, "}"].join("");
  return { version, text };
}

/** What {@link toEnvelope} wrote; `undefined` for anything else, cut or foreign. */
export function parseEnvelope(text: string): Envelope | undefined {
  const envelope = parseObject(text);
  if (envelope === undefined || !Object.hasOwn(envelope, "value")) return undefined;
  const { version, expiresAt, value } = envelope;
  if (typeof version !== "string" || !text.startsWith(toVersionPrefix(version))) return undefined;
  if (expiresAt !== undefined && typeof expiresAt !== "number") return undefined;
  return { version, expiresAt, value };
}

/** How every text of this version begins. */
export function toVersionPrefix(version: string): string {
  return `{"version":"${version}",`;
}

// --- Internal helpers ---

/**
 * 48 random bits: of a thousand processes on one storage, two share it with a chance of 1 in 500
 * million, and would then have to write one document at the same count to be confused.
 */
const processId = Buffer.from(getRandomValues(new Uint8Array(6))).toString("base64url");
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

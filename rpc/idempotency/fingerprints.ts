import { createHash, createHmac } from "node:crypto";
import { canonicalJson } from "../lists/basket-line.ts";

/** The part of a call that a repetition must have, too. */
export interface RepeatableRequest {
  /** The name of the method. */
  readonly method: string;
  /** The payload as the client sent it, before its schema parses it. */
  readonly payload: unknown;
}

/** Compares the payloads of calls without storing them. */
export type Fingerprints = ReturnType<typeof createFingerprints>;

/**
 * Creates the fingerprints of one shop: an HMAC-SHA-256 of the method and the payload's canonical JSON, shortened to
 * 128 bits. A fingerprint names its key, so it stays comparable while the key is being rotated out.
 * @param secrets at least one: the last one makes fingerprints, all compare
 */
export function createFingerprints(secrets: readonly string[]) {
  // Derived at the first use: most calls have no idempotency key.
  let derived: readonly FingerprintKey[] | undefined;
  const keys = () => (derived ??= secrets.map(deriveKey));
  return {
    /** @returns `<key ID>.<HMAC>`, both in base64url: 28 characters */
    of(request: RepeatableRequest): string {
      return toFingerprint(keys().at(-1) as FingerprintKey, request);
    },

    /**
     * Whether a call has the payload of a stored fingerprint. If its key is gone, this can't be checked, and the result
     * is `true`: a call that was executed must not be executed again.
     */
    match(stored: string, request: RepeatableRequest): boolean {
      const key = keys().find(({ id }) => stored.startsWith(`${id}.`));
      return key === undefined || toFingerprint(key, request) === stored;
    },
  };
}

/** The name under which an idempotency key is stored: its hash, because clients choose keys of any length. */
export function toKeyId(idempotencyKey: string): string {
  return createHash("sha256").update(idempotencyKey).digest("base64url").slice(0, 22);
}

// --- Internal helpers ---

interface FingerprintKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** Derived for this one purpose, so that no fingerprint is a signature of the same secret. */
function deriveKey(secret: string): FingerprintKey {
  const derive = (label: string) =>
    createHmac("sha256", secret).update(`storefront-core idempotency ${label}`).digest();
  return { id: derive("key id").toString("base64url").slice(0, 5), secret: derive("key") };
}

function toFingerprint({ id, secret }: FingerprintKey, request: RepeatableRequest): string {
  const { method, payload } = request;
  const text = payload === undefined ? "" : canonicalJson(payload);
  const hmac = createHmac("sha256", secret).update(`${method}\n${text}`).digest("base64url");
  return `${id}.${hmac.slice(0, 22)}`;
}

import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";

/**
 * Signs session IDs with HMAC-SHA256, synchronously: Web Crypto uses a thread pool, which costs ten times as much.
 */
export class Signer {
  readonly #keys: readonly KeyObject[];

  /** @param secrets at least one: the last one signs, every one verifies */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => createSecretKey(secret, "utf8"));
  }

  /** @returns base64 without padding: 43 characters */
  sign(text: string): string {
    return signWith(this.#keys.at(-1) as KeyObject, text);
  }

  /**
   * Compares the exact text of the signature, in constant time. Decoding it first would accept other spellings.
   * @returns `current`: the secret that signs today made it; `old`: another of the secrets did
   */
  verify(text: string, signature: string): "current" | "old" | "invalid" {
    const matches = this.#keys.map((key) => isEqual(signWith(key, text), signature));
    if (!matches.includes(true)) return "invalid";
    return matches.at(-1) ? "current" : "old";
  }
}

// --- Internal helpers ---

function signWith(key: KeyObject, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64").slice(0, -"=".length);
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

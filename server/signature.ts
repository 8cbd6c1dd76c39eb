import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";

/**
 * Signs session ids with HMAC-SHA256, and knows its own signatures again. By Node's own calls, which answer
 * at once: Web Crypto takes each through a thread pool, at ten times the cost.
 */
export class Signer {
  readonly #keys: readonly KeyObject[];
  /** What was found right before; a wrong one costs its calculation each time, and no room. */
  readonly #verified = new LRUCache<string, "current" | "old">({ max: 10_000 });

  /** @param secrets at least one: the last signs, all verify */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => createSecretKey(secret, "utf8"));
  }

  /** @returns base64 without padding: 43 characters */
  sign(text: string): string {
    return signWith(this.#keys.at(-1) as KeyObject, text);
  }

  /**
   * Compares the exact text of the signature, in constant time: decoding it first would let altered
   * ones pass.
   * @returns whether one of the secrets made it, and whether that is the one that signs today
   */
  verify(text: string, signature: string): "current" | "old" | "invalid" {
    // Of a fixed length, or one split of the same characters would be remembered for another.
    if (signature.length !== signatureLength) return "invalid";
    const signed = `${signature}${text}`;
    const known = this.#verified.get(signed);
    if (known !== undefined) return known;
    const matches = this.#keys.map((key) => isEqual(signWith(key, text), signature));
    if (!matches.includes(true)) return "invalid";
    const verdict = matches.at(-1) ? "current" : "old";
    this.#verified.set(signed, verdict);
    return verdict;
  }
}

// --- Internal helpers ---

/** 32 bytes in base64, without the padding. */
const signatureLength = 43;

function signWith(key: KeyObject, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64").slice(0, signatureLength);
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

import { timingSafeEqual } from "node:crypto";
import { subtle } from "uncrypto";

/** Signs session ids with HMAC-SHA256, and knows its own signatures again. */
export class Signer {
  readonly #keys: Promise<readonly CryptoKey[]>;

  /** @param secrets at least one: the last signs, all verify */
  constructor(secrets: readonly string[]) {
    this.#keys = Promise.all(secrets.map(importKey));
  }

  /** @returns base64 without padding: 43 characters */
  async sign(text: string): Promise<string> {
    const keys = await this.#keys;
    return signWith(keys.at(-1) as CryptoKey, text);
  }

  /**
   * Compares the exact text of the signature, in constant time: decoding it first would let altered
   * ones pass.
   * @returns whether one of the secrets made it, and whether that is the one that signs today
   */
  async verify(text: string, signature: string): Promise<"current" | "old" | "invalid"> {
    const keys = await this.#keys;
    const expected = await Promise.all(keys.map((key) => signWith(key, text)));
    const matches = expected.map((candidate) => isEqual(candidate, signature));
    if (matches.at(-1)) return "current";
    return matches.includes(true) ? "old" : "invalid";
  }
}

// --- Internal helpers ---

function importKey(secret: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign"]);
}

async function signWith(key: CryptoKey, text: string): Promise<string> {
  const signature = await subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return Buffer.from(signature).toString("base64").replaceAll("=", "");
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { VerifiedId } from "./transport.ts";

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

/**
 * Creates a function that verifies credentials, and the cache of the IDs in valid ones, so that a signature is
 * calculated once. Invalid credentials aren't cached, so an attacker can't evict valid ones.
 * @param purpose precedes the ID in the signed text
 * @param read reads the ID and its signature; an empty ID is invalid
 */
export function createVerifier(
  signer: Signer,
  purpose: string,
  read: (credential: string) => readonly [id: string, signature: string],
) {
  const known = new LRUCache<string, readonly VerifiedId[]>({
    maxSize: maxCharacters,
    sizeCalculation: (_, credential) => credential.length,
  });
  return {
    known,
    /** @returns the ID in a credential; none if the credential is invalid */
    verify(credential: string): readonly VerifiedId[] {
      const found = known.get(credential);
      if (found !== undefined) return found;
      const [id, signature] = read(credential);
      const verdict = id === "" ? "invalid" : signer.verify(purpose + id, signature);
      if (verdict === "invalid") return none;
      const ids = [{ id: copy(id), isOld: verdict === "old" }];
      known.set(copy(credential), ids);
      return ids;
    },
  };
}

// --- Internal helpers ---

const none: readonly never[] = [];

/** Enough for the credentials of about 15,000 clients. */
const maxCharacters = 2_000_000;

/** A part of a string keeps the whole string in memory, and is slow to compare. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}

function signWith(key: KeyObject, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64").slice(0, -"=".length);
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

import { LRUCache } from "lru-cache";
import type { VerifiedId } from "./transport.ts";

/**
 * Caches the IDs of valid credentials, so that their signatures are calculated once.
 * Invalid credentials aren't cached, so an attacker can't evict valid ones.
 */
export class VerifiedIdCache {
  readonly #ids = new LRUCache<string, readonly VerifiedId[]>({
    maxSize: maxCharacters,
    sizeCalculation: (_, credential) => credential.length,
  });
  readonly #verify: (credential: string) => VerifiedId | undefined;

  /** @param verify calculates the signature of a credential that isn't in the cache */
  constructor(verify: (credential: string) => VerifiedId | undefined) {
    this.#verify = verify;
  }

  /** The ID in a credential that was valid before. */
  peek(credential: string): readonly VerifiedId[] | undefined {
    return this.#ids.get(credential);
  }

  /** The ID in a credential; none if the credential is invalid. */
  verify(credential: string): readonly VerifiedId[] {
    const known = this.#ids.get(credential);
    if (known !== undefined) return known;
    const verified = this.#verify(credential);
    if (verified === undefined) return none;
    const ids = [{ id: copy(verified.id), isOld: verified.isOld }];
    this.#ids.set(copy(credential), ids);
    return ids;
  }
}

// --- Internal helpers ---

const none: readonly never[] = [];

/** Enough for the credentials of about 15,000 clients. */
const maxCharacters = 2_000_000;

/** A part of a string keeps the whole string in memory, and is slow to compare. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}

import { LRUCache } from "lru-cache";
import type { VerifiedId } from "./transport.ts";

/**
 * Knows again what was found validly signed, by the whole text that carried it: neither is it parsed
 * again, nor its signature calculated; a client whose other cookies change with each call pays for both. What
 * was found wrong costs its calculation each time, and no room.
 */
export class VerifiedIdCache {
  readonly #known = new LRUCache<string, readonly VerifiedId[]>({
    maxSize: maxCharacters,
    sizeCalculation: (_, carried) => carried.length,
  });

  /** @param verify finds the ids in a text that is not known */
  find(carried: string, verify: (carried: string) => readonly VerifiedId[]): readonly VerifiedId[] {
    const known = this.#known.get(carried);
    if (known !== undefined) return known;
    const ids = verify(carried).map(copy);
    if (ids.length > 0) this.#known.set(carried, ids);
    return ids;
  }
}

// --- Internal helpers ---

/** A text of its own: parts of a larger one hold on to it, and are slow to compare. */
function copy({ id, isOld }: VerifiedId): VerifiedId {
  return { id: Buffer.from(id).toString(), isOld };
}

/** As many as 10,000 clients send whose cookies are ours alone. */
const maxCharacters = 2_000_000;

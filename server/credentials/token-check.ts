import { createHash, timingSafeEqual } from "node:crypto";

/** Creates a check of tokens. Digests have one length, so a comparison takes the same time for every token. */
export function createTokenCheck(
  tokens: readonly string[],
): (given: string | undefined) => boolean {
  const digests = tokens.map(digest);
  return (given) => {
    const found = digest(given ?? "");
    return given !== undefined && digests.some((expected) => timingSafeEqual(expected, found));
  };
}

// --- Internal helpers ---

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

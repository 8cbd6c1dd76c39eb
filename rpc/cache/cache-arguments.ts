/** @throws TypeError if a key is not a string of 1 to 512 characters */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key === "string" && key !== "" && key.length <= maxKeyLength) return;
  const found = typeof key === "string" ? `a string of ${key.length} characters` : typeof key;
  throw new TypeError(
    `The key of cached() is ${found}. Expected a string of 1 to ${maxKeyLength} characters. Limit the lengths of strings in the method's input schema, or use a hash of them`,
  );
}

/** @returns milliseconds @throws TypeError if `ttl` is out of range */
export function toLifetime(ttl: unknown): number {
  if (typeof ttl === "number" && ttl > 0 && ttl <= maxTtl) return ttl * 1000;
  const found = typeof ttl === "number" ? String(ttl) : typeof ttl;
  throw new TypeError(
    `The ttl of cached() is ${found}. Expected a number of seconds, more than 0, up to ${maxTtl}`,
  );
}

/** @throws TypeError if a tag is not a string of 1 to 128 characters */
export function assertTags(tags: unknown): asserts tags is readonly string[] {
  if (!Array.isArray(tags)) {
    throw new TypeError(
      `The tags of invalidate() are ${typeof tags}. Expected an array of strings`,
    );
  }
  for (const tag of tags as unknown[]) {
    if (typeof tag === "string" && tag !== "" && tag.length <= maxTagLength) continue;
    const found = typeof tag === "string" ? `a string of ${tag.length} characters` : typeof tag;
    throw new TypeError(
      `A tag of the cache is ${found}. Expected a string of 1 to ${maxTagLength} characters`,
    );
  }
}

/** The longest tag, in characters. */
export const maxTagLength = 128;

// --- Internal helpers ---

const maxKeyLength = 512;
/** Seconds: a day. */
const maxTtl = 86_400;

/*
 * The idempotency keys of a basket or a wishlist, the oldest first: up to 50 strings `<key ID>.<fingerprint>.<time>`,
 * with epoch milliseconds in base 36. Earlier versions added a revision, which nothing reads.
 */

/** How long a key is stored, in milliseconds. */
export const keyLifetime = 86_400_000;

/** The most keys of a session, a basket, or a wishlist. The oldest ones are forgotten. */
export const maxKeys = 50;

/** Finds the fingerprint of the call that has used a key. */
export function findUsedKey(
  keys: readonly string[] | undefined,
  id: string,
  now: number,
): string | undefined {
  const found = keys?.find((key) => key.startsWith(`${id}.`));
  if (found === undefined || timeOf(found) <= now - keyLifetime) return undefined;
  return found.split(".").slice(1, 3).join(".");
}

export function addUsedKey(
  keys: readonly string[] | undefined,
  { id, fingerprint }: { readonly id: string; readonly fingerprint: string },
  now: number,
): readonly string[] {
  return newest([...(keys ?? []), `${id}.${fingerprint}.${now.toString(36)}`], now);
}

/** Joins the keys of a guest's list and a user's list. */
export function joinUsedKeys(
  user: readonly string[] | undefined,
  guest: readonly string[] | undefined,
  now: number,
): readonly string[] | undefined {
  if (guest === undefined) return user;
  const joined = [...(user ?? []), ...guest].toSorted((a, b) => timeOf(a) - timeOf(b));
  return newest(joined, now);
}

// --- Internal helpers ---

/** @param keys the oldest first */
function newest(keys: readonly string[], now: number): readonly string[] {
  return keys.filter((key) => timeOf(key) > now - keyLifetime).slice(-maxKeys);
}

function timeOf(key: string): number {
  return Number.parseInt(key.split(".")[3] ?? "", 36);
}

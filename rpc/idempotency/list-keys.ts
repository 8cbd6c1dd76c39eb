/**
 * An idempotency key in a basket or a wishlist: `<key ID>.<fingerprint>.<time>.<revision>`, because each list stores up
 * to 50. The time is epoch milliseconds, and both numbers are in base 36.
 */
export type ListKey = string;

/** How long a key is stored, in milliseconds. */
export const keyLifetime = 86_400_000;

/** The most keys of a session, a basket, or a wishlist. The oldest ones are forgotten. */
export const maxKeys = 50;

/** Whether a stored value can be the keys of a list. */
export function isListKeys(value: unknown): value is readonly ListKey[] {
  return Array.isArray(value) && value.every((key) => typeof key === "string");
}

/** Finds the fingerprint of the call that has used a key. */
export function findListKey(
  keys: readonly ListKey[] | undefined,
  id: string,
  now: number,
): string | undefined {
  const found = keys?.find((key) => key.startsWith(`${id}.`));
  return found === undefined || timeOf(found) <= now - keyLifetime
    ? undefined
    : found.slice(id.length + 1, found.indexOf(".", id.length + 7));
}

/** Adds a key. @param revision that of the changed list, if it has one */
export function addListKey(
  keys: readonly ListKey[] | undefined,
  key: { readonly id: string; readonly fingerprint: string; readonly revision?: number },
  now: number,
): readonly ListKey[] {
  const { id, fingerprint, revision = 0 } = key;
  const added = `${id}.${fingerprint}.${now.toString(36)}.${revision.toString(36)}`;
  return newest([...(keys ?? []), added], now);
}

/** Joins the keys of a guest's list and a user's list. */
export function joinListKeys(
  user: readonly ListKey[] | undefined,
  guest: readonly ListKey[] | undefined,
  now: number,
): readonly ListKey[] | undefined {
  if (guest === undefined) return user;
  const joined = [...(user ?? []), ...guest];
  return newest(
    joined.toSorted((a, b) => timeOf(a) - timeOf(b)),
    now,
  );
}

// --- Internal helpers ---

/** @param keys the oldest first */
function newest(keys: readonly ListKey[], now: number): readonly ListKey[] {
  return keys.filter((key) => timeOf(key) > now - keyLifetime).slice(-maxKeys);
}

function timeOf(key: ListKey): number {
  return Number.parseInt(key.split(".")[3] ?? "", 36);
}

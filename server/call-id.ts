import type { Random } from "../storage/random.ts";

/**
 * Creates a function that returns IDs of calls: a random part for this storefront, and a counter. Other servers rarely
 * have the same ID.
 */
export function createCallIds(random: Random): () => string {
  let prefix: string | undefined;
  let count = 0;
  return () => {
    prefix ??= random.uuid().slice(0, 8);
    count++;
    return `${prefix}-${count}`;
  };
}

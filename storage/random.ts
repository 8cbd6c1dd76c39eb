import { getRandomValues } from "uncrypto";

/*
 * All random values of a storefront. None of them is created while modules load, because a worker has none then. Tests
 * can't replace them: predictable session IDs and tokens would be credentials that others can guess.
 */

export { getRandomValues, randomUUID } from "uncrypto";

/** Bytes that nobody can predict, for secrets. */
export function randomBytes(length: number): Buffer {
  return Buffer.from(getRandomValues(new Uint8Array(length)).buffer);
}

/** A number for the length of a pause, so that processes don't stay in step. Not for secrets. */
export function randomBetween(least: number, most: number): number {
  return least + Math.random() * (most - least);
}

import { getRandomValues, randomUUID } from "uncrypto";

/**
 * The random values of a storefront. IDs of sessions, tokens, and secrets come from it, so in production it must be
 * cryptographic: nobody may be able to predict its next value (ASVS 5.0, 11.5.1). A test can have values that repeat.
 */
export interface Random {
  /** Creates a UUID of version 4, with 122 random bits (RFC 9562, section 5.4). */
  uuid(): string;
  /** Creates random bytes, for secrets. */
  bytes(length: number): Buffer<ArrayBuffer>;
  /** Returns a number for the length of a pause, so that processes don't stay in step. Not for secrets. */
  between(least: number, most: number): number;
}

/**
 * The computer's random values. Temporary files and document versions always get their names from here, because no
 * other process may have the same ones. A worker has no random values while modules load.
 */
export const systemRandom: Random = {
  uuid: () => randomUUID(),
  bytes: (length) => Buffer.from(getRandomValues(new Uint8Array(length)).buffer),
  between: (least, most) => least + Math.random() * (most - least),
};

import { createHash } from "node:crypto";
import type { Random } from "../../storage/random.ts";

/**
 * Creates random values that repeat for the same seed, so that a test can expect IDs. Not for production: the seed
 * reveals all session IDs. UUIDs, bytes, and pauses are three series, so pauses don't change IDs.
 */
export function createTestRandom(seed: number): Random {
  const uuids = createSeries(`${seed} uuid`);
  const secrets = createSeries(`${seed} bytes`);
  const pauses = createSeries(`${seed} pause`);
  return {
    uuid: () => toUuid(uuids().subarray(0, 16)),
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 32) secrets().copy(bytes, at);
      return bytes;
    },
    between: (least, most) => least + (pauses().readUInt32BE() / 2 ** 32) * (most - least),
  };
}

// --- Internal helpers ---

/** @returns a function that returns 32 other bytes each time */
function createSeries(seed: string): () => Buffer {
  let count = 0;
  return () => createHash("sha256").update(`${seed} ${count++}`).digest();
}

function toUuid(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

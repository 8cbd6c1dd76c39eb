import { scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";
import type { Random } from "../../storage/random.ts";
import type { Visit } from "../commerce/visit.ts";
import { queueHash } from "./hash-queue.ts";
import { passwordCost } from "./password-cost.ts";

/**
 * Hashes a password with scrypt at {@link passwordCost}.
 * @param caller the caller that waits for the hash
 * @returns a PHC string, which carries its salt and settings
 * @throws RpcError as {@link queueHash} does
 */
export async function hashPassword(
  password: string,
  random: Random,
  caller?: Partial<Visit>,
): Promise<string> {
  const salt = random.bytes(16);
  const hash = await queueHash(() => derive(password, salt, passwordCost), caller);
  const { ln, r, p } = passwordCost;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${toText(salt)}$${toText(hash)}`;
}

/** Whether {@link verifyPassword} can read a hash, and the hash is cheap enough. */
export function isPasswordHash(phc: unknown): phc is string {
  return typeof phc === "string" && parseHash(phc) !== undefined;
}

/**
 * Whether a password matches a hash. Without a hash it returns `false` after the same time, so the time doesn't reveal
 * whether an account exists.
 * @param caller the caller that waits for the hash
 * @throws Error if the hash cannot be read; RpcError as {@link queueHash} does
 */
export async function verifyPassword(
  password: string,
  phc: string | undefined,
  caller?: Partial<Visit>,
): Promise<boolean> {
  const parsed = parseHash(phc ?? nobodysHash);
  if (parsed === undefined) throw new Error("An account's password hash cannot be read");
  const { cost, salt, expected } = parsed;
  const hash = await queueHash(() => derive(password, salt, cost), caller);
  return phc !== undefined && timingSafeEqual(expected, hash);
}

// --- Internal helpers ---

/** Bytes. */
const hashLength = 32;

const phcPattern = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const nobodysHash = `$scrypt$ln=${passwordCost.ln},r=${passwordCost.r},p=${passwordCost.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

/** A stored hash names its own cost. With this limit, a check takes at most 256 MiB and about ten seconds. */
const most = { ln: 20, r: 32, p: 16, memory: 2 ** 28 };

/** @returns `undefined` if the text isn't a hash, or one that is too expensive to check */
function parseHash(phc: string) {
  const match = phcPattern.exec(phc);
  if (match === null) return undefined;
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  // scrypt requires N < 2^(16 r) (RFC 7914, section 2).
  const isPossible = ln >= 1 && ln < 16 * r && p >= 1;
  const isCheap = ln <= most.ln && r <= most.r && p <= most.p && 128 * r * 2 ** ln <= most.memory;
  const [salt, expected] = match.slice(4).map((text) => Buffer.from(text, "base64"));
  if (!isPossible || !isCheap || salt === undefined || expected?.length !== hashLength) {
    return undefined;
  }
  return { cost: { ln, r, p }, salt, expected };
}

function derive(
  password: string,
  salt: Buffer,
  { ln, r, p }: typeof passwordCost,
): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    // NFKC makes the same text from the keys of every keyboard (NIST SP 800-63B, 5.1.1.2).
    scrypt(password.normalize("NFKC"), salt, hashLength, options, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}

function toText(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

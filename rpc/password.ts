import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";
import { hashInTurn } from "./hash-queue.ts";

/**
 * Hashes a password with scrypt (N=2^15, r=8, p=3: one of the equivalent settings of OWASP's Password
 * Storage Cheat Sheet, the one that takes 32 MiB).
 * @param signal gives up waiting for a turn
 * @returns a PHC string, which carries its salt and settings
 */
export async function hashPassword(password: string, signal?: AbortSignal): Promise<string> {
  const salt = randomBytes(16);
  const hash = await hashInTurn(() => derive(password, salt, settings), signal);
  const { ln, r, p } = settings;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${toText(salt)}$${toText(hash)}`;
}

/**
 * Whether a password is the one that was hashed. Without a hash it takes as long and says no, so that
 * time does not tell whether there is an account.
 * @param signal gives up waiting for a turn
 */
export async function verifyPassword(
  password: string,
  phc: string | undefined,
  signal?: AbortSignal,
): Promise<boolean> {
  const match = phcPattern.exec(phc ?? nobodysHash);
  if (match === null) throw new Error("An account's password hash cannot be read");
  const [, ln, r, p, salt = "", expected = ""] = match;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const hash = await hashInTurn(() => derive(password, Buffer.from(salt, "base64"), cost), signal);
  const expectedHash = Buffer.from(expected, "base64");
  const isEqual = expectedHash.length === hash.length && timingSafeEqual(expectedHash, hash);
  return phc !== undefined && isEqual;
}

// --- Internal helpers ---

const settings = { ln: 15, r: 8, p: 3 };

const phcPattern = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const nobodysHash = `$scrypt$ln=${settings.ln},r=${settings.r},p=${settings.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

function derive(password: string, salt: Buffer, { ln, r, p }: typeof settings): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    // One spelling for what looks the same on every keyboard (NIST SP 800-63B, 5.1.1.2).
    scrypt(password.normalize("NFKC"), salt, 32, options, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}

function toText(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

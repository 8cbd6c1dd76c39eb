import { subtle } from "uncrypto";
import { systemRandom, type Random } from "../random.ts";

/** Encrypts and decrypts strings that a storage must not be able to read. */
export type Sealer = ReturnType<typeof createSealer>;

/**
 * Creates a sealer: AES-256-GCM with random 96-bit IVs (NIST SP 800-38D), and keys derived for one purpose
 * (HKDF-SHA-256, RFC 5869). It detects altered strings (ASVS 5.0, 11.3.3). A string unseals in its own context only.
 * @param secrets at least one: the last one seals, all unseal
 * @param purpose the kind of data; each purpose has its own key
 */
export function createSealer(
  secrets: readonly string[],
  purpose: string,
  random: Random = systemRandom,
) {
  let derived: Promise<readonly SealingKey[]> | undefined;
  /** Later than the start, because most shops seal nothing. */
  function deriveKeys(): Promise<readonly SealingKey[]> {
    return (derived ??= Promise.all(secrets.map((secret) => deriveKey(secret, purpose))));
  }
  return {
    /**
     * @param context the location of the stored string
     * @returns `<key id>.<IV, encrypted string, and tag>`, both in base64url
     */
    async seal(text: string, context: string): Promise<string> {
      const { id, key } = (await deriveKeys()).at(-1) as SealingKey;
      const iv = random.bytes(ivLength);
      const encrypted = await subtle.encrypt(toAlgorithm(iv, context), key, encode(text));
      return `${id}.${Buffer.concat([iv, new Uint8Array(encrypted)]).toString("base64url")}`;
    },

    /**
     * @returns the string, and whether its key is being rotated out; `undefined` if it was altered, was sealed in
     * another context, or its key is gone
     */
    async unseal(sealed: string, context: string) {
      const keys = await deriveKeys();
      const [, keyId, encoded = ""] = sealedText.exec(sealed) ?? [];
      const found = keys.findLast(({ id }) => id === keyId);
      if (found === undefined) return undefined;
      const bytes = new Uint8Array(Buffer.from(encoded, "base64url"));
      const algorithm = toAlgorithm(bytes.slice(0, ivLength), context);
      try {
        const decrypted = await subtle.decrypt(algorithm, found.key, bytes.slice(ivLength));
        const text = new TextDecoder().decode(decrypted);
        return { text, hasOldKey: found.id !== keys.at(-1)?.id };
      } catch {
        return undefined;
      }
    },
  };
}

// --- Internal helpers ---

const ivLength = 12;
const sealedText = /^([\w-]{11})\.([\w-]+)$/;

type SealingKey = Awaited<ReturnType<typeof deriveKey>>;

/** @returns the key, and an ID that names it without revealing it */
async function deriveKey(secret: string, purpose: string) {
  const uses = ["deriveBits", "deriveKey"] as const;
  const source = await subtle.importKey("raw", encode(secret), "HKDF", false, uses);
  const derivation = (label: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encode(`storefront-core ${purpose} ${label}`),
  });
  const target = { name: "AES-GCM", length: 256 };
  const id = await subtle.deriveBits(derivation("key id"), source, 64);
  return {
    id: Buffer.from(id).toString("base64url"),
    key: await subtle.deriveKey(derivation("key"), source, target, false, ["encrypt", "decrypt"]),
  };
}

function toAlgorithm(iv: Uint8Array<ArrayBuffer>, context: string) {
  return { name: "AES-GCM", iv, additionalData: encode(context) };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

import { getRandomValues, subtle } from "uncrypto";

/** What was sealed, and whether by a key that is on its way out. */
export interface Opened {
  readonly text: string;
  readonly isOld: boolean;
}

/**
 * Seals texts that a storage keeps but must not be able to read: AES-256-GCM with random 96-bit IVs
 * (NIST SP 800-38D), which also shows what was altered (ASVS 5.0, 11.3.3).
 *
 * The keys are derived from secrets for this one purpose (HKDF-SHA-256, RFC 5869), so a secret may
 * have other uses too. Each text says which of them sealed it, and opens in its own place only.
 */
export class Vault {
  readonly #keys: Promise<readonly VaultKey[]>;

  /**
   * @param secrets at least one: the last seals, all open
   * @param purpose what is sealed; vaults of other purposes have other keys
   */
  constructor(secrets: readonly string[], purpose: string) {
    this.#keys = Promise.all(secrets.map((secret) => deriveKey(secret, purpose)));
  }

  /**
   * @param place where the text will lie
   * @returns `<key id>.<IV, encrypted text and tag>`, both in base64url
   */
  async seal(text: string, place: string): Promise<string> {
    const { id, key } = (await this.#keys).at(-1) as VaultKey;
    const iv = getRandomValues(new Uint8Array(ivLength));
    const encrypted = await subtle.encrypt(toAlgorithm(iv, place), key, encode(text));
    return `${id}.${Buffer.concat([iv, new Uint8Array(encrypted)]).toString("base64url")}`;
  }

  /** @returns `undefined` for what was altered, lay elsewhere, or was sealed by a key that is gone */
  async open(sealed: string, place: string): Promise<Opened | undefined> {
    const keys = await this.#keys;
    const [, keyId, encoded = ""] = sealedText.exec(sealed) ?? [];
    const found = keys.findLast(({ id }) => id === keyId);
    if (found === undefined) return undefined;
    const bytes = new Uint8Array(Buffer.from(encoded, "base64url"));
    const algorithm = toAlgorithm(bytes.slice(0, ivLength), place);
    try {
      const decrypted = await subtle.decrypt(algorithm, found.key, bytes.slice(ivLength));
      return { text: new TextDecoder().decode(decrypted), isOld: found.id !== keys.at(-1)?.id };
    } catch {
      return undefined;
    }
  }
}

// --- Internal helpers ---

interface VaultKey {
  /** Says which key it is, and nothing of what it is. */
  readonly id: string;
  readonly key: CryptoKey;
}

const ivLength = 12;
const sealedText = /^([\w-]{11})\.([\w-]+)$/;

async function deriveKey(secret: string, purpose: string): Promise<VaultKey> {
  const source = await subtle.importKey("raw", encode(secret), "HKDF", false, [
    "deriveBits",
    "deriveKey",
  ]);
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

function toAlgorithm(iv: Uint8Array<ArrayBuffer>, place: string) {
  return { name: "AES-GCM", iv, additionalData: encode(place) };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

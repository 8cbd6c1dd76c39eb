import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { SessionOptions } from "../config/options.ts";
import { Signer } from "./signature.ts";
import type { HeaderEntry, VerifiedId, SessionTransport } from "./transport.ts";
import { VerifiedIdCache } from "./verified-id-cache.ts";

/**
 * Bearer tokens of one shop, for clients that cookies do not reach: `<id>.<signature>` in base64url.
 *
 * The signature is for this purpose and shop alone, so that a token is no cookie and a cookie no token
 * (ASVS 5.0, 3.3.4), and a token of one shop is nothing in another.
 */
export class BearerTransport implements SessionTransport {
  readonly name = "bearer";
  readonly tellsExtension = false;
  readonly #headerName: string;
  readonly #purpose: string;
  readonly #signer: Signer;
  readonly #verified = new VerifiedIdCache();

  constructor({ authTokenHeaderKey, secrets }: SessionOptions, shopId: number) {
    this.#headerName = authTokenHeaderKey;
    this.#purpose = `bearer:${shopId}:`;
    this.#signer = new Signer(secrets);
  }

  /** The scheme's case does not matter (RFC 9110, 11.1). */
  read(headers: Headers): string | undefined {
    return /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  }

  verify(carried: string): readonly VerifiedId[] {
    return this.#verified.find(carried, (token) => this.#verifyToken(token));
  }

  issue({ id }: SessionRecord): HeaderEntry {
    const signature = this.#signer.sign(this.#purpose + id);
    return [this.#headerName, `${toBase64Url(id)}.${toUrlSafe(signature)}`];
  }

  clear(): readonly HeaderEntry[] {
    return [[this.#headerName, ""]];
  }

  #verifyToken(token: string): readonly VerifiedId[] {
    const [, encoded = "", signature = ""] = tokenPattern.exec(token) ?? [];
    const id = Buffer.from(encoded, "base64url").toString();
    // Lenient decoding would let several tokens stand for one session.
    if (id === "" || toBase64Url(id) !== encoded) return [];
    const verdict = this.#signer.verify(this.#purpose + id, fromUrlSafe(signature));
    return verdict === "invalid" ? [] : [{ id, isOld: verdict === "old" }];
  }
}

// --- Internal helpers ---

const tokenPattern = /^([\w-]+)\.([\w-]{43})$/;

function toBase64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function toUrlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

function fromUrlSafe(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}

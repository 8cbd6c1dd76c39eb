import type { SessionOptions } from "../config/options.ts";
import { Signer } from "./signature.ts";
import type { SessionTransport } from "./transport.ts";
import { VerifiedIdCache } from "./verified-id-cache.ts";

/**
 * Bearer tokens of one shop, for clients without cookies: `<id>.<signature>` in base64url.
 * The signature covers the transport and the shop: a token isn't valid as a cookie, or in another shop
 * (ASVS 5.0, 3.3.4).
 */
export function createBearerTransport(
  { authTokenHeaderKey, secrets }: SessionOptions,
  shopId: number,
): SessionTransport {
  const purpose = `bearer:${shopId}:`;
  const signer = new Signer(secrets);
  const cache = new VerifiedIdCache((token) => {
    const [, encoded = "", signature = ""] = tokenPattern.exec(token) ?? [];
    const id = Buffer.from(encoded, "base64url").toString();
    // Decoding is lenient: without this check, several tokens would be valid for one session.
    if (id === "" || toBase64Url(id) !== encoded) return undefined;
    const verdict = signer.verify(purpose + id, fromUrlSafe(signature));
    return verdict === "invalid" ? undefined : { id, isOld: verdict === "old" };
  });
  const responseHeader = authTokenHeaderKey.toLowerCase();
  return {
    name: "bearer",
    isAmbient: false,
    credentialHeaders: { request: "authorization", response: authTokenHeaderKey },
    read: readBearer,
    verify: (token) => cache.verify(token),
    issue({ id }) {
      const signature = signer.sign(purpose + id);
      return [authTokenHeaderKey, `${toBase64Url(id)}.${toUrlSafe(signature)}`];
    },
    clear: () => [[authTokenHeaderKey, ""]],
    isIssued: (name) => name === responseHeader,
    findSecrets(headers) {
      const token = readBearer(headers);
      return token !== undefined && tokenPattern.test(token) ? [token] : [];
    },
  };
}

/** The token in `Authorization: Bearer <token>`. The scheme is case-insensitive (RFC 9110, 11.1). */
export function readBearer(headers: Headers): string | undefined {
  const value = headers.get("authorization");
  return value === null ? undefined : /^bearer +(\S+) *$/i.exec(value)?.[1];
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

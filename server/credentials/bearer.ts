import type { SessionOptions } from "../config/options.ts";
import { createVerifier, Signer } from "./signature.ts";
import type { SessionTransport } from "./transport.ts";

/**
 * Bearer tokens of one shop, for clients without cookies: `<id>.<signature>` in base64url. The signature covers the
 * transport and the shop, so a token isn't valid as a cookie or in another shop (ASVS 5.0, 3.3.4).
 */
export function createBearerTransport(
  { authTokenHeaderKey, secrets }: SessionOptions,
  shopId: number,
): SessionTransport {
  const purpose = `bearer:${shopId}:`;
  const signer = new Signer(secrets);
  const { verify } = createVerifier(signer, purpose, (token) => {
    const [, encoded = "", signature = ""] = tokenPattern.exec(token) ?? [];
    const id = Buffer.from(encoded, "base64url").toString();
    // Decoding is lenient: without this check, several tokens would be valid for one session.
    return toBase64Url(id) === encoded ? [id, fromUrlSafe(signature)] : ["", ""];
  });
  const responseHeader = authTokenHeaderKey.toLowerCase();
  return {
    name: "bearer",
    isAmbient: false,
    credentialHeaders: { request: "authorization", response: authTokenHeaderKey },
    openApi: {
      scheme: {
        type: "http",
        scheme: "bearer",
        description: `The token of the response header ${authTokenHeaderKey}.`,
      },
      issued: "A new bearer token, if the session began or changed; empty if it ended.",
    },
    read: readBearer,
    verify,
    issue({ id }) {
      const signature = signer.sign(purpose + id);
      return [authTokenHeaderKey, `${toBase64Url(id)}.${toUrlSafe(signature)}`];
    },
    clear: () => [[authTokenHeaderKey, ""]],
    isIssued: (name) => name === responseHeader,
    sendBack(headers, token) {
      if (token === "") headers.delete("authorization");
      else headers.set("authorization", `Bearer ${token}`);
    },
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

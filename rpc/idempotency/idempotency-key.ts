import { RpcError } from "../error.ts";

/**
 * Reads the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a structured-field string, for
 * example `"8e03978e-40d5"`, or the same without quotation marks, as many clients send it.
 * @returns the key without quotation marks; `undefined` without the header
 * @throws RpcError `malformed_request`
 */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const text = headers.get("idempotency-key");
  return text === null ? undefined : parseIdempotencyKey(text);
}

/** Parses the value of the header. @throws RpcError `malformed_request` */
export function parseIdempotencyKey(text: string): string {
  const isQuoted = text.startsWith('"');
  const key = isQuoted ? text.slice(1, -1).replace(escaped, "$1") : text;
  const isValid = (isQuoted ? quoted : bare).test(text) && key !== "" && key.length <= maxLength;
  if (isValid) return key;
  throw new RpcError("malformed_request", {
    detail: `The header Idempotency-Key is not valid. Expected one key of 1 to ${maxLength} printable ASCII characters, in quotation marks if it has spaces or quotation marks, for example a UUID`,
  });
}

// --- Internal helpers ---

const maxLength = 255;

/** A string of RFC 9651, 4.2.5. */
const quoted = /^"(?:[ !#-[\]-~]|\\["\\])*"$/;
const escaped = /\\(.)/g;
const bare = /^[!#-~][!-~]*$/;

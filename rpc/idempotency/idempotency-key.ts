import { RpcError } from "../error.ts";
import type { RpcMethod } from "../method.ts";
import { holdsSecrets } from "../redaction/secret.ts";

/**
 * Reads the header `Idempotency-Key` of a call.
 * @returns the key without quotation marks; `undefined` without the header, or if the server stores no keys of this method
 * @throws RpcError `malformed_request`
 */
export function readIdempotencyKey(method: RpcMethod, headers: Headers): string | undefined {
  if (method.readOnly) return undefined;
  const text = headers.get("idempotency-key");
  if (text === null) return undefined;
  const key = parseIdempotencyKey(text);
  return storesKeys(method) ? key : undefined;
}

/**
 * Parses the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a structured-field string, for
 * example `"8e03978e-40d5"`, or the same without quotation marks, as many clients send it.
 * @throws RpcError `malformed_request`
 */
export function parseIdempotencyKey(text: string): string {
  const isQuoted = text.startsWith('"');
  const key = isQuoted ? text.slice(1, -1).replace(escaped, "$1") : text;
  const isValid = (isQuoted ? quoted : bare).test(text) && key !== "" && key.length <= maxLength;
  if (isValid) return key;
  throw new RpcError("malformed_request", {
    detail: `The header Idempotency-Key is not valid. Expected one key of 1 to ${maxLength} printable ASCII characters, in quotation marks if it has spaces or quotation marks, for example a UUID`,
  });
}

/** Whether the server stores the keys of a method: it has a session, changes something, and its input has no `secret()`. */
export function storesKeys(method: RpcMethod): boolean {
  const known = stored.get(method);
  if (known !== undefined) return known;
  const { access, input, readOnly } = method;
  const result = access !== "public" && !readOnly && (input === undefined || !holdsSecrets(input));
  stored.set(method, result);
  return result;
}

/**
 * Marks a method that applies its change once by itself: it stores the key with its change, and a repetition runs it
 * again. The session keeps no successful answer of such a method.
 */
export function withOwnKeys<Method extends RpcMethod>(method: Method): Method {
  ownKeys.add(method);
  return method;
}

/** Whether {@link withOwnKeys} marks a method. */
export function hasOwnKeys(method: RpcMethod): boolean {
  return ownKeys.has(method);
}

// --- Internal helpers ---

const ownKeys = new WeakSet<RpcMethod>();
const stored = new WeakMap<RpcMethod, boolean>();

const maxLength = 255;

/** A string of RFC 9651, 4.2.5. */
const quoted = /^"(?:[ !#-[\]-~]|\\["\\])*"$/;
const escaped = /\\(.)/g;
const bare = /^[!#-~][!-~]*$/;

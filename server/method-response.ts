import type { RpcResponse } from "./response.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { HeaderEntry } from "./credentials/transport.ts";

/** The header that marks a method's own `Response` for the typed client. */
export const responseHeader = "storefront-response";

/**
 * Converts a method's own `Response`, and drops the headers that only the server sends.
 * @param cacheControl the default for a response without `Cache-Control`; absent: no cache may store the response,
 * whatever it says
 * @param refusal `Cache-Control` of a response that no cache may store
 * @throws TypeError if the response has been read, or is a network error
 */
export function toMethodResponse(
  response: Response,
  credentials: Credentials,
  cacheControl?: string,
  refusal = "no-store",
): RpcResponse {
  const { body, status, statusText, headers: given } = response;
  if (response.bodyUsed || body?.locked) {
    throw new TypeError("A method's Response has been read already. Return it unread, or a clone");
  }
  if (status < 200) throw new TypeError("A method returned Response.error(), which has no status");
  const dropped = listDropped(given);
  const headers = [...given].filter(
    ([name, value]) =>
      !dropped.has(name) && !ownHeaders.test(name) && !credentials.isIssued(name, value),
  ) as HeaderEntry[];
  const isKept = cacheControl !== undefined && !headers.some(([name]) => name === "set-cookie");
  const rest = isKept ? headers : headers.filter(([name]) => !cacheHeaders.test(name));
  if (!rest.some(([name]) => name === "cache-control")) {
    rest.push(["cache-control", isKept && status === 200 ? cacheControl : refusal]);
  }
  rest.push([responseHeader, "1"]);
  return { status, statusText, body, headers: rest };
}

// --- Internal helpers ---

/** The headers of this connection alone, by the header `Connection`. */
function listDropped(headers: Headers): ReadonlySet<string> {
  const named = (headers.get("connection") ?? "").toLowerCase().split(",");
  return new Set(named.map((name) => name.trim()));
}

/**
 * Headers of one connection (RFC 9110, 7.6.1), of the encoded body (`fetch` has decoded it), and those that the
 * server sets.
 */
const ownHeaders =
  /^(?:access-control-.*|connection|content-encoding|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|storefront-response)$/;

/** Headers that make some caches keep a response in spite of `Cache-Control` (RFC 9213). */
const cacheHeaders =
  /^(?:cache-control|expires|pragma|surrogate-control|x-accel-expires|(?:.*-)?cdn-cache-control)$/;

import { redirectType } from "../rpc/client/result.ts";
import { serverHeaders } from "../rpc/response-headers.ts";
import type { RpcResponse } from "./response.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { HeaderEntry } from "./credentials/transport.ts";

/** The header that marks a method's own `Response` for the typed client. */
export const responseHeader = "storefront-response";

/**
 * Converts a method's own `Response`, and drops the headers that only the server sends. A redirect becomes JSON for the
 * typed client, because a page's script can't read the target of a redirect (Fetch, "opaque-redirect filtered response").
 * @param request the headers of the request
 * @param cacheControl the default for a response without `Cache-Control`; absent: no cache may store the response,
 * whatever it says
 * @param refusal `Cache-Control` of a response that no cache may store
 * @throws TypeError if the response has been read, or is a network error
 */
export function toMethodResponse(
  response: Response,
  credentials: Credentials,
  request: Headers,
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
      !dropped.has(name) && !serverHeaders.test(name) && !credentials.isIssued(name, value),
  ) as HeaderEntry[];
  const isKept = cacheControl !== undefined && !headers.some(([name]) => name === "set-cookie");
  const rest = isKept ? headers : headers.filter(([name]) => !cacheHeaders.test(name));
  if (!rest.some(([name]) => name === "cache-control")) {
    rest.push(["cache-control", isKept && status === 200 ? cacheControl : refusal]);
  }
  rest.push([responseHeader, "1"]);
  const location = given.get("location");
  if (location !== null && isRedirect(status) && request.get("accept")?.includes(redirectType)) {
    void body?.cancel().catch(() => undefined);
    return toRedirectResult(status, location, rest);
  }
  return { status, statusText, body, headers: rest };
}

/**
 * Adds the headers that a method has set. They replace those of its own `Response`.
 * @param isStorable whether caches may store the response. Otherwise, headers for caches are dropped.
 */
export function addMethodHeaders(
  { headers }: RpcResponse,
  own: Headers,
  credentials: Credentials,
  isStorable: boolean,
): void {
  const hasCookie = own.has("set-cookie");
  if (isStorable && hasCookie) {
    remove(headers, (name) => cacheHeaders.test(name));
    headers.push(["cache-control", "no-store"]);
  }
  for (const [name, value] of own) {
    if (credentials.isIssued(name, value)) continue;
    if (cacheHeaders.test(name) && (!isStorable || hasCookie)) continue;
    if (name !== "set-cookie" && name !== "vary") remove(headers, (other) => other === name);
    headers.push([name, value]);
  }
}

// --- Internal helpers ---

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function toRedirectResult(status: number, location: string, headers: HeaderEntry[]): RpcResponse {
  remove(headers, (name) => name === "location" || name === "content-type");
  headers.push(["content-type", redirectType]);
  return { status: 200, body: JSON.stringify({ status, location }), headers };
}

function remove(headers: HeaderEntry[], isRemoved: (name: string) => boolean): void {
  const kept = headers.filter(([name]) => !isRemoved(name));
  headers.splice(0, headers.length, ...kept);
}

/** The headers of this connection alone, by the header `Connection`. */
function listDropped(headers: Headers): ReadonlySet<string> {
  const named = (headers.get("connection") ?? "").toLowerCase().split(",");
  return new Set(named.map((name) => name.trim()));
}

/** Headers that make some caches keep a response in spite of `Cache-Control` (RFC 9213). */
const cacheHeaders =
  /^(?:cache-control|expires|pragma|surrogate-control|x-accel-expires|(?:.*-)?cdn-cache-control)$/;

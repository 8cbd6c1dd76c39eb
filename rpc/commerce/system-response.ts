import { RpcError } from "../error.ts";

/** The error of a call whose commerce system doesn't respond. @param cause absent if the circuit breaker is open */
export function commerceUnavailable(cause: unknown): RpcError {
  return new RpcError("commerce_unavailable", { headers: { "retry-after": "1" }, cause });
}

/**
 * Reads a response as a whole, so that a body which ends early fails here, and not in the adapter.
 * @returns a response whose `json()` throws `commerce_unavailable` if the body isn't JSON
 * @throws RpcError `commerce_unavailable` for a status of 500 or more, and for an HTML page, which a proxy sends
 */
export async function readResponse(response: Response): Promise<Response> {
  const { status, statusText, headers, url } = response;
  const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
  if (status >= 500 || isPage) {
    await response.body?.cancel();
    const found = isPage ? `HTTP status ${status} with an HTML page` : `HTTP status ${status}`;
    throw commerceUnavailable(new Error(found));
  }
  const body = await response.arrayBuffer();
  const read = new Response(hasNoBody.has(status) ? null : body, { status, statusText, headers });
  // `fetch` has decoded the body.
  read.headers.delete("content-encoding");
  read.headers.delete("content-length");
  return Object.defineProperties(read, {
    url: { value: url },
    json: { value: () => parse(read) },
  });
}

// --- Internal helpers ---

/** A `Response` with one of these must have no body. */
const hasNoBody = new Set([204, 205, 304]);

async function parse(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await response.text()) as unknown;
  } catch (error) {
    // Its message quotes the body, which can contain a secret.
    if (!(error instanceof SyntaxError)) throw error;
    throw commerceUnavailable(new Error(`HTTP status ${response.status} without valid JSON`));
  }
}

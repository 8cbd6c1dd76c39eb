import type { RpcClientOptions } from "../client-types.ts";

/** Sends a POST with the client's headers and its token. */
export type SendRequest = (
  /** The path below `rpc`: a method, or nothing for a batch. */
  path: readonly string[],
  body: string,
  call: {
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<Response>;

/** Creates the function that sends all requests of a client. */
export function createSendRequest({
  baseURL,
  basePath = "/api",
  shopId,
  headers,
  token,
  authTokenHeaderKey = "storefront-auth-token",
  fetch = (url, init) => globalThis.fetch(url, init),
}: RpcClientOptions): SendRequest {
  const folders = [baseURL.replace(/\/+$/, ""), ...basePath.split("/").filter(Boolean), "rpc"];

  return async function sendRequest(path, body, call) {
    const sent = new Headers(headers);
    for (const [name, value] of new Headers(call.headers)) sent.set(name, value);
    sent.set("content-type", "application/json");
    sent.set("x-shop-id", String(shopId));
    const current = token && (await token.get());
    if (current) sent.set("authorization", `Bearer ${current}`);
    // A URL as it is, and plain headers: the `fetch` of a framework knows the page's origin, and may drop a `Headers`.
    const response = await fetch([...folders, ...path].join("/"), {
      method: "POST",
      // With a token, a cookie would be a second session.
      credentials: token ? "omit" : "include",
      headers: Object.fromEntries(sent),
      body,
      ...(call.signal && { signal: call.signal }),
    });
    const next = token && response.headers.get(authTokenHeaderKey);
    if (next != null) await token?.set(next || undefined);
    return response;
  };
}

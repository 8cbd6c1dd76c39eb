import type { ClientCall, RpcClientOptions } from "../client-types.ts";
import { orLost, redirectType } from "./result.ts";

/** Creates the function that sends all requests of a client: each is a POST with the client's headers and its token. */
export function createSendRequest({
  baseURL,
  basePath = "/api",
  shopId,
  headers,
  token,
  authTokenHeaderKey = "storefront-auth-token",
  fetch = (...args: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...args),
}: RpcClientOptions) {
  const folders = [baseURL.replace(/\/+$/, ""), ...basePath.split("/").filter(Boolean), "rpc"];

  /**
   * @param path that below `rpc`: a method, or nothing for a batch
   * @throws LostError if `fetch` failed; any other error for a call that can't be sent, or for a token that can't be stored
   */
  return async function sendRequest(
    path: readonly string[],
    call: Partial<ClientCall> & Pick<ClientCall, "body">,
  ): Promise<Response> {
    const sent = new Headers(call.key ? { "idempotency-key": call.key } : {});
    for (const own of [headers, call.headers]) {
      for (const [name, value] of new Headers(own)) sent.set(name, value);
    }
    sent.set("content-type", "application/json");
    sent.set("x-shop-id", String(shopId));
    // A page can't read the target of a redirect, so the server sends it as JSON.
    sent.set("accept", `${sent.get("accept") ?? "*/*"}, ${redirectType}`);
    // Without a store, the request is sent immediately.
    const current = token && (await token.get());
    if (current) sent.set("authorization", `Bearer ${current}`);
    const url = [...folders, ...path].join("/");
    const init: RequestInit = {
      method: "POST",
      // With a token, a cookie would be a second session.
      credentials: token ? "omit" : "include",
      // The `fetch` of a framework may drop a `Headers`.
      headers: Object.fromEntries(sent),
      body: call.body,
      ...(call.signal && { signal: call.signal }),
    };
    const send = fetch as typeof globalThis.fetch;
    const request = URL.canParse(url) ? new Request(url, init) : undefined;
    const response = await orLost(request ? send(request) : send(url, init));
    const next = response.headers.get(authTokenHeaderKey);
    if (next != null) await token?.set(next || undefined);
    return response;
  };
}

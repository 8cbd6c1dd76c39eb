import type { ClientCall, RpcClientOptions } from "../client-types.ts";
import { redirectType } from "./result.ts";

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
   * @throws TokenStoreError; any error of `fetch`
   */
  return async function sendRequest(
    path: readonly string[],
    body: string,
    call: Partial<ClientCall>,
  ): Promise<Response> {
    const sent = new Headers(call.key ? { "idempotency-key": call.key } : {});
    for (const own of [headers, call.headers]) {
      for (const [name, value] of new Headers(own)) sent.set(name, value);
    }
    sent.set("content-type", "application/json");
    sent.set("x-shop-id", String(shopId));
    // A page can't read the target of a redirect, so the server sends it as JSON.
    sent.set("accept", `${sent.get("accept") ?? "*/*"}, ${redirectType}`);
    const current = token && (await ofStore(() => token.get()));
    if (current) sent.set("authorization", `Bearer ${current}`);
    const url = [...folders, ...path].join("/");
    const init: RequestInit = {
      method: "POST",
      // With a token, a cookie would be a second session.
      credentials: token ? "omit" : "include",
      // The `fetch` of a framework may drop a `Headers`.
      headers: Object.fromEntries(sent),
      body,
      ...(call.signal && { signal: call.signal }),
    };
    const send = fetch as typeof globalThis.fetch;
    const response = await (URL.canParse(url) ? send(new Request(url, init)) : send(url, init));
    const next = token && response.headers.get(authTokenHeaderKey);
    if (next != null) await ofStore(() => token?.set(next || undefined));
    return response;
  };
}

/** A token store has failed, so a repeat would not help. The cause is its error, or any other value that it threw. */
export class TokenStoreError extends Error {}

// --- Internal helpers ---

/** @throws TokenStoreError */
async function ofStore<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new TokenStoreError("The token store failed", { cause });
  }
}

import type { StorefrontOptions } from "./config/options.ts";
import type { Cors } from "./cors.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { HttpCall } from "./http-call.ts";
import { addMethodHeaders, toMethodResponse } from "./method-response.ts";
import type { RequestEvent } from "./request.ts";
import { isResponse, toRpcResponse, type RpcResponse } from "./response.ts";
import type { ShopResolver } from "./router.ts";

/** Creates responses from the results of methods. Its functions throw TypeError if a result can't be sent. */
export class CallResponses {
  readonly #trustsProxies: boolean;
  readonly #shopResolver: ShopResolver;
  readonly #cors: Cors;
  readonly #credentials: Credentials;

  constructor(
    { trustProxy }: StorefrontOptions,
    shopResolver: ShopResolver,
    { cors, credentials }: { readonly cors: Cors; readonly credentials: Credentials },
  ) {
    this.#trustsProxies = trustProxy !== false;
    this.#shopResolver = shopResolver;
    this.#cors = cors;
    this.#credentials = credentials;
  }

  /**
   * Creates the response with a method's result. The headers that methods of the call have set become part of it.
   * @param cacheControl for a result that shared caches may store
   */
  of(current: HttpCall, value: unknown, cacheControl = "public, max-age=60"): RpcResponse {
    const own = current.call?.request.responseHeaders;
    return current.visit === undefined
      ? this.#ofPublic(current, value, own, cacheControl)
      : this.#ofSession(current.event, value, own);
  }

  /** Forbids caches to store the result of a method with a session. */
  #ofSession({ isRead, headers }: RequestEvent, value: unknown, own: Headers | undefined) {
    const rule = isRead ? "private, no-store" : "no-store";
    const response = isResponse(value)
      ? toMethodResponse(value, this.#credentials, headers, undefined, rule)
      : toRpcResponse(value, rule);
    if (own !== undefined) addMethodHeaders(response, own, this.#credentials, false);
    return response;
  }

  /** Lets shared caches store the result of a public method's GET, if the URL alone chose the shop. */
  #ofPublic(
    { event, route, shop }: HttpCall,
    value: unknown,
    own: Headers | undefined,
    cacheControl: string,
  ): RpcResponse {
    const isGet = event.isRead;
    const isOfUrl = isGet && this.#shopResolver.findByUrl(event, route?.shopPath) === shop;
    const rule = isOfUrl ? cacheControl : isGet ? "private, no-store" : "no-store";
    const ofResponse = isGet && !isOfUrl ? undefined : rule;
    const response = isResponse(value)
      ? toMethodResponse(value, this.#credentials, event.headers, ofResponse)
      : toRpcResponse(value, rule);
    if (own !== undefined) addMethodHeaders(response, own, this.#credentials, isOfUrl);
    if (isGet) this.#addVary(event, response);
    return response;
  }

  #addVary({ headers, origin }: RequestEvent, response: RpcResponse): void {
    response.headers.push(["vary", this.#shopResolver.vary]);
    // A proxy that sends this header sends it always, and no X-Forwarded-Host.
    if (this.#trustsProxies && headers.has("forwarded")) {
      response.headers.push(["vary", "forwarded"]);
    }
    if (origin !== null) response.headers.push(["vary", this.#cors.vary]);
  }
}

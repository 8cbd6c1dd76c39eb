import { RpcError } from "../rpc/error.ts";
import { withDetails, type Logger } from "../shared/log.ts";
import { findTrace, toCallIds } from "../rpc/trace-ids.ts";
import { isClientGone } from "./client-signal.ts";
import type { StorefrontOptions } from "./config/options.ts";
import type { HttpCall } from "./http-call.ts";
import { addMethodHeaders, toMethodResponse } from "./method-response.ts";
import type { RequestEvent } from "./request.ts";
import type { RequestRules } from "./responder.ts";
import { isResponse, toRpcResponse, type RpcResponse } from "./response.ts";
import type { ShopResolver } from "./router.ts";

/** Creates the responses to calls, from the results and the errors of their methods. */
export class CallResponses {
  readonly #options: StorefrontOptions;
  readonly #shopResolver: ShopResolver;
  readonly #rules: RequestRules;

  constructor(options: StorefrontOptions, shopResolver: ShopResolver, rules: RequestRules) {
    this.#options = options;
    this.#shopResolver = shopResolver;
    this.#rules = rules;
  }

  /**
   * Creates the response with a method's result. The headers that methods of the call have set become part of it.
   * @param cacheControl for a result that shared caches may store
   * @throws TypeError if the result can't be sent
   */
  of(current: HttpCall, value: unknown, cacheControl = "public, max-age=60"): RpcResponse {
    const own = current.call?.request.responseHeaders;
    return current.session === undefined
      ? this.#ofPublic(current, value, own, cacheControl)
      : this.#ofSession(current.event, value, own);
  }

  /**
   * Creates the response to a call that threw: problem+json, or the `Response` that its method threw. With an
   * `Idempotency-Key`, it first stores the response for repetitions.
   */
  async ofError(current: HttpCall, error: unknown): Promise<RpcResponse> {
    const { idempotent } = current;
    if (idempotent === undefined) return this.#ofFailure(current, error);
    return idempotent.fail(error, (failure) => this.#ofFailure(current, failure));
  }

  #ofFailure(current: HttpCall, error: unknown): RpcResponse {
    const { call, redactor, request } = current;
    let problem = error;
    if (isClientGone(error, request)) {
      problem = new RpcError("client_gone", { cause: error });
    } else if (isResponse(error)) {
      try {
        return this.of(current, error, "no-store");
      } catch (unsendable) {
        problem = unsendable;
      }
    }
    const log = call?.log ?? redactor.guard(this.#logOf(current));
    return this.#rules.toProblem(problem, redactor, log);
  }

  /** The log of a call that failed before its method was known. */
  #logOf({ event, id, span }: HttpCall): Logger {
    const ids = toCallIds(id, findTrace(event.traceparent, span));
    return withDetails(this.#options.log, ids);
  }

  /** Forbids caches to store the result of a method with a session. */
  #ofSession({ isRead, headers }: RequestEvent, value: unknown, own: Headers | undefined) {
    const rule = isRead ? "private, no-store" : "no-store";
    const response = isResponse(value)
      ? toMethodResponse(value, this.#rules.credentials, headers, undefined, rule)
      : toRpcResponse(value, rule);
    if (own !== undefined) addMethodHeaders(response, own, this.#rules.credentials, false);
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
      ? toMethodResponse(value, this.#rules.credentials, event.headers, ofResponse)
      : toRpcResponse(value, rule);
    if (own !== undefined) addMethodHeaders(response, own, this.#rules.credentials, isOfUrl);
    if (isGet) this.#addVary(event, response);
    return response;
  }

  #addVary({ headers, origin }: RequestEvent, response: RpcResponse): void {
    response.headers.push(["vary", this.#shopResolver.vary]);
    // A proxy that sends this header sends it always, and no X-Forwarded-Host.
    if (this.#options.trustProxy !== false && headers.has("forwarded")) {
      response.headers.push(["vary", "forwarded"]);
    }
    if (origin !== null) response.headers.push(["vary", this.#rules.cors.vary]);
  }
}

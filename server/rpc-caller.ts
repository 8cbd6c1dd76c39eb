import { assertOptions } from "../shared/similar.ts";
import type { ServerRequest } from "srvx";
import { pause } from "../storage/clock.ts";
import type { RpcClient, RpcClientOptions } from "../rpc/client-types.ts";
import { createClient } from "../rpc/client/create-client.ts";
import { RpcClientError, type Problem } from "../rpc/client/result.ts";
import type { RpcMethods } from "../rpc/method.ts";
import {
  findTarget,
  pageCalls,
  RetiredError,
  sendPageCall,
  visitOf,
  type PageCalls,
} from "./page-calls.ts";
import type { PageVisit } from "./page-visit.ts";
import { discardResult, isResponse } from "./response.ts";
import type { Storefront } from "./storefront-app.ts";

/** Options of {@link createRpcCaller}. */
export interface RpcCallerOptions {
  /** The shop of the calls. Default: the shop of the page's URL. */
  readonly shopId?: number | undefined;
  /** Headers of every call, for example `idempotency-key`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The values that the response of the page must contain. Two callers of one request have the same values. */
export interface RpcCallerState {
  /**
   * The headers for the browser: `Set-Cookie` if the session began, changed, or ended, and `Cache-Control` if a call
   * depended on the session. Read them after the calls of the page.
   */
  readonly headers: Headers;
  /**
   * The page's own path and query if its session ID was replaced a moment ago, for example by a login in another tab.
   * Redirect the browser there (307): it then sends the new cookie.
   */
  readonly redirect: string | undefined;
}

/** Calls the methods of a storefront in this process: the typed client, and the headers for the browser. */
export type RpcCaller<Methods extends RpcMethods> = RpcClient<Methods> & RpcCallerState;

/**
 * Creates a client for server-side rendering, with the type of `createRpcClient`. Its calls run without HTTP, as the
 * visitor who sent `request`. Send `caller.headers` to the browser, or the next page begins another session.
 * @param request the request for the page, from a browser
 * @throws TypeError if `request` isn't a web `Request`, or for a misspelled option
 */
export function createRpcCaller<Methods extends RpcMethods>(
  storefront: Storefront,
  request: Request,
  options: RpcCallerOptions = {},
): RpcCaller<Methods> {
  assertOptions("createRpcCaller", options, { shopId: true, headers: true });
  const { shopId, headers = {} } = options;
  assertRequest(request);
  const calls = storefront[pageCalls];
  const visit = visitOf(calls, request as ServerRequest);
  const send = (url: string, init: RequestInit) => {
    const method = url.slice(url.lastIndexOf("/") + 1);
    return sendPageCall(calls, visit, { method }, withShop(init, shopId));
  };
  const client = createClient<Methods>(
    {
      // With a relative URL, the client needs no `Request`.
      baseURL: "",
      shopId: shopId ?? 0,
      headers,
      fetch: send as unknown as NonNullable<RpcClientOptions["fetch"]>,
    },
    noKey,
  );
  return toCaller(client, calls, visit);
}

/**
 * Creates a `fetch` that a framework gives to the typed client during rendering. Calls of the storefront need no HTTP,
 * and are the same visitor's as those of `createRpcCaller`, unless they have credentials of their own.
 * @param page the request for the page, from a browser
 * @throws TypeError if `page` isn't a web `Request`
 */
export function createCallerFetch(
  storefront: Storefront,
  page: Request,
): (request: Request) => Promise<Response> {
  assertRequest(page);
  const calls = storefront[pageCalls];
  const visit = visitOf(calls, page as ServerRequest);
  return async (request) => {
    const { method, headers, signal } = request;
    const isOwn = headers.has("authorization") || omitsCookies(request);
    const target = isOwn ? undefined : findTarget(calls.options, request.url);
    if (target === undefined) {
      if (!("ip" in request)) Object.defineProperty(request, "ip", { get: () => visit.request.ip });
      return storefront.fetch(request);
    }
    const hasBody = method !== "GET" && method !== "HEAD";
    // An empty text would get a content type, which isn't JSON.
    const body = hasBody ? (await request.text()) || null : null;
    try {
      return await sendPageCall(calls, visit, target, { method, headers, body, signal });
    } catch (error) {
      if (!(error instanceof RetiredError)) throw error;
      await redirectPage(visit, calls.options);
      return toFinalResponse(error);
    }
  };
}

/**
 * Renders a page, and adds the caller's headers to its response. If the session ID of the page was replaced a moment
 * ago, the response is a redirect to the page itself (307), even if `render` throws.
 */
export async function respondWithCaller(
  caller: RpcCallerState,
  render: () => Response | Promise<Response>,
): Promise<Response> {
  let page: unknown;
  try {
    page = await render();
  } catch (error) {
    if (caller.redirect === undefined) throw error;
  }
  const { redirect: location } = caller;
  let response: Response;
  if (location === undefined) {
    assertResponse(page);
    response = new Response(page.body, page);
  } else {
    discardResult(page);
    response = new Response(null, { status: 307, headers: { location } });
  }
  for (const [name, value] of caller.headers) {
    if (name === "set-cookie") response.headers.append(name, value);
    else response.headers.set(name, value);
  }
  return response;
}

// --- Internal helpers ---

/** @throws TypeError if a page isn't a `Response` */
function assertResponse(page: unknown): asserts page is Response {
  if (isResponse(page)) return;
  throw new TypeError(
    "respondWithCaller: the function returned no Response. Return one, for example new Response(html, { headers })",
  );
}

/** Calls without HTTP lose no response, so they need no idempotency key. */
const noKey = () => undefined;

/** Whether a browser would send no cookies. Some workers throw for the property. */
function omitsCookies(request: Request): boolean {
  try {
    return request.credentials === "omit";
  } catch {
    return false;
  }
}

/** How long a redirect waits for the response with the new cookie, which the browser may still be receiving. */
const redirectDelay = 200;

function toCaller<Methods extends RpcMethods>(
  client: RpcClient<Methods>,
  { options }: PageCalls,
  visit: PageVisit,
): RpcCaller<Methods> {
  const read = (name: string | symbol): unknown => {
    if (name === "headers") return visit.headers;
    if (name === "redirect") return visit.redirect;
    const call: unknown = Reflect.get(client, name);
    if (typeof call !== "function" || name in Object.prototype) return call;
    return async (...args: readonly unknown[]): Promise<unknown> => {
      try {
        return await (call as (...args: readonly unknown[]) => Promise<unknown>)(...args);
      } catch (error) {
        if (!(error instanceof RetiredError)) throw error;
        await redirectPage(visit, options);
        throw new RpcClientError(error.response.status, (await error.response.json()) as never);
      }
    };
  };
  return new Proxy({} as RpcCaller<Methods>, { get: (_, name) => read(name) });
}

/** Redirects the page to itself, and waits until the browser can have the new cookie. */
async function redirectPage(visit: PageVisit, { log }: PageCalls["options"]): Promise<void> {
  if (visit.redirectToItself()) await pause(redirectDelay);
  else log.warn("A page was redirected to itself, and still sent a replaced session");
}

/** The response to a call with a replaced session. It doesn't say `executed`, so the typed client doesn't repeat it. */
async function toFinalResponse({ response }: RetiredError): Promise<Response> {
  const body: unknown = await response.json();
  const results = Array.isArray(body)
    ? body.map((result: { readonly body?: Problem }) => result.body)
    : [body as Problem];
  const { executed: _, ...problem } =
    results.find((each) => each?.code === "session_changed") ?? {};
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: 409, statusText: "Conflict", headers });
}

/** The typed client always names a shop; without one, the URL of the page chooses it. */
function withShop(init: RequestInit, shopId: number | undefined): RequestInit {
  if (shopId !== undefined) return init;
  const { "x-shop-id": _, ...headers } = init.headers as Record<string, string>;
  return { ...init, headers };
}

function assertRequest(request: unknown): void {
  const { headers, url } = (request ?? {}) as {
    readonly headers?: unknown;
    readonly url?: unknown;
  };
  const isHeaders = typeof (headers as Headers | undefined)?.get === "function";
  if (isHeaders && typeof url === "string" && URL.canParse(url)) return;
  throw new TypeError(
    "createRpcCaller: the second argument isn't a web Request with an absolute URL. Pass event.req (h3 2, Nitro 3), event.request (SvelteKit), or c.req.raw (Hono). With node:http, Express, or h3 1, pass the request that toNodeHandler gives to your function. In Nuxt, use useRpc or pageOf(event): see docs/ssr.md",
  );
}

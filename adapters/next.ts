/** A storefront in Next.js: the public entry `storefront-core/next`. */

import { parseSetCookie } from "cookie-es";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { NextResponse } from "next/server";
import type { RpcClient } from "../rpc/client.ts";
import {
  createRpcCaller,
  type RpcCaller,
  type RpcMethods,
  type Storefront,
} from "../server/index.ts";
import { pagePathOf } from "./next-path.ts";

/**
 * Creates the handlers of the route `app/api/rpc/[[...path]]/route.ts`.
 * @example export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = toRouteHandlers(storefront);
 */
export function toRouteHandlers(storefront: Storefront) {
  const handle = async (request: Request): Promise<Response> => storefront.fetch(request);
  return {
    GET: handle,
    HEAD: handle,
    POST: handle,
    PUT: handle,
    PATCH: handle,
    DELETE: handle,
    OPTIONS: handle,
  };
}

/**
 * Creates a client for Server Components and Server Actions. Its calls run in this process, as the visitor of the page.
 * Server Components can't set cookies, so a new visitor's session is lost there: only read.
 * @param shopId the shop of the calls. Default: the shop of the page's URL, which needs the proxy
 */
export async function createNextCaller<Methods extends RpcMethods>(
  storefront: Storefront,
  { shopId }: { readonly shopId?: number } = {},
): Promise<RpcClient<Methods>> {
  const given = await headers();
  let request = requests.get(given);
  if (request === undefined) requests.set(given, (request = toRequest(given)));
  const caller = createRpcCaller<Methods>(storefront, request, { shopId });
  return new Proxy(caller, {
    get(target, name, receiver): unknown {
      const call: unknown = Reflect.get(target, name, receiver);
      if (typeof name === "symbol" || typeof call !== "function") return call;
      return (...args: unknown[]) => settle(storefront, caller, call(...args) as Promise<unknown>);
    },
  });
}

/**
 * Passes the URL of the page to the callers of Server Components. Export it from `proxy.ts`:
 * @example export { proxy } from "storefront-core/next";
 */
export function proxy(request: Request): Response {
  const next = new Headers(request.headers);
  next.set(pathHeader, pagePathOf(request));
  return NextResponse.next({ request: { headers: next } });
}

// --- Internal helpers ---

const pathHeader = "x-storefront-path";

/** Next.js has the same `Headers` object for all components of a page. */
const requests = new WeakMap<Headers, Request>();

function toRequest(given: Headers): Request {
  const host = given.get("host") ?? "localhost";
  const scheme = given.get("x-forwarded-proto") === "https" ? "https" : "http";
  const path = given.get(pathHeader)?.replace(/^[/\\]+/, "") ?? "";
  // Next.js doesn't say the HTTP method. Only a POST has a body: then the storefront checks the origin of the page.
  const method = given.has("content-type") ? "POST" : "GET";
  return new Request(`${scheme}://${host}/${path}`, { method, headers: new Headers(given) });
}

async function settle(
  storefront: Storefront,
  caller: RpcCaller<RpcMethods>,
  running: Promise<unknown>,
): Promise<unknown> {
  try {
    return await running;
  } catch (error) {
    if (caller.redirect !== undefined) redirect(caller.redirect);
    throw error;
  } finally {
    await setCookies(storefront, caller.headers.getSetCookie());
  }
}

async function setCookies(storefront: Storefront, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const jar = await cookies();
  try {
    for (const line of lines) {
      const { name, value, ...attributes } = parseSetCookie(line, { decode: (text) => text }) ?? {};
      if (name !== undefined) jar.set(name, decodeURIComponent(value ?? ""), attributes);
    }
  } catch (cause) {
    storefront.options.log.warn(
      "A Server Component changed the visitor's session, but Next.js sets no cookies there. Write in a Server Action or a Route Handler: see docs/mounting.md",
      { cause: String(cause) },
    );
  }
}

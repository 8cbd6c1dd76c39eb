import type { ServerRequest } from "srvx";
import { findMethod } from "../rpc/dispatch.ts";
import type { RpcMethods } from "../rpc/method.ts";
import type { Random } from "../storage/random.ts";
import type { createBatchHandler } from "./batch.ts";
import { clientSignal } from "./client-signal.ts";
import type { StorefrontOptions } from "./config/options.ts";
import type { Credentials } from "./credentials/credentials.ts";
import { browserUrlOf, PageVisit } from "./page-visit.ts";
import type { Handle } from "./rpc-handler.ts";

/**
 * The property of a storefront with the parts for calls without HTTP. It is a registered symbol, because a bundler can
 * include this module twice.
 */
export const pageCalls: unique symbol = Symbol.for("storefront-core:page-calls");

/** The parts of a storefront for the calls of pages. */
export interface PageCalls {
  readonly options: StorefrontOptions;
  readonly credentials: Credentials;
  readonly random: Random;
  readonly methods: RpcMethods;
  readonly handle: Handle;
  readonly handleBatch: ReturnType<typeof createBatchHandler>;
  /** The visits of the pages that are being rendered. */
  readonly visits: WeakMap<object, PageVisit>;
}

/** Finds the visit of a page's request. All calls for one request are one visit. */
export function visitOf(
  { visits, credentials, random }: PageCalls,
  request: ServerRequest,
): PageVisit {
  const known = visits.get(request);
  const visit = known ?? new PageVisit(request, credentials, random);
  visits.set(request, visit);
  return visit;
}

/** The target of a page's call. */
interface PageTarget {
  /** Absent for a batch. */
  readonly method: string | undefined;
  /** The path of a shop in the call's URL. Without it, the header `x-shop-id` or the page's URL chooses the shop. */
  readonly shopPath?: string | undefined;
  readonly search?: string;
}

/**
 * Sends a call of a page to the function that responds to calls over HTTP, so every rule for those applies to it.
 * @throws RetiredError if another call of the visitor replaced the session ID a moment ago
 * @throws the reason of the call's signal
 */
export async function sendPageCall(
  { options, methods, handle, handleBatch }: PageCalls,
  visit: PageVisit,
  { method: name, shopPath: ownPath, search = "" }: PageTarget,
  { method: verb = "POST", headers: given, body, signal }: RequestInit,
): Promise<Response> {
  const method = name === undefined ? undefined : findMethod(methods, name);
  if (name === undefined || (method && method.access !== "public")) visit.noteSession();
  const page = new URL(visit.request.url);
  const fields = new Headers(given);
  // A framework adds the cookies of the page's request, which are older than those of the visit.
  fields.delete("cookie");
  const isNamed = ownPath !== undefined || fields.has("x-shop-id");
  const shopPath = isNamed
    ? ownPath
    : (findShopPathOfPage(options, page.pathname) ??
      findShopPathOfPage(options, browserUrlOf(visit.request).pathname));
  const folder = shopPath === undefined ? "" : `/${shopPath}`;
  const path = `${folder}${options.basePath}/rpc${name === undefined ? "" : `/${name}`}${search}`;
  const { response, isRetired } = await visit.run(method?.signsIn ?? false, (headers, call) => {
    for (const [field, value] of fields) headers.set(field, value);
    const request = new Request(new URL(path, page.origin), {
      method: verb,
      headers,
      body: body ?? null,
      signal: joinSignals(clientSignal(visit.request), signal),
    });
    if (name === undefined) return handleBatch(request, shopPath, call);
    return handle(request, { method: name, shopPath }, { page: call });
  });
  signal?.throwIfAborted();
  if (isRetired) throw new RetiredError(response);
  return response;
}

/** Finds the target of a call by its URL; `undefined` if the URL isn't that of a call. */
export function findTarget(options: StorefrontOptions, url: string): PageTarget | undefined {
  const { pathname, search } = new URL(url);
  const shopPath = findShopPath(options, pathname);
  const path = shopPath === undefined ? pathname : pathname.slice(shopPath.length + 1);
  const folder = `${options.basePath}/rpc`;
  if (path === folder) return { method: undefined, shopPath, search };
  if (!path.startsWith(`${folder}/`)) return undefined;
  const method = path.slice(folder.length + 1);
  return method.includes("/") ? undefined : { method, shopPath, search };
}

/** A page's call failed because another call of the visitor replaced the session ID a moment ago. */
export class RetiredError extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super("A login or another change replaced the session ID of the page's request");
    this.response = response;
  }
}

// --- Internal helpers ---

/**
 * The path of a page's shop. A framework can leave its own prefix in front of it, for example `paths.base` of SvelteKit.
 * `basePath` begins with that prefix, too.
 */
function findShopPathOfPage(options: StorefrontOptions, pathname: string): string | undefined {
  const segments = pathname.split("/");
  const base = options.basePath.split("/");
  const end = segments.findIndex((segment, index) => segment !== base[index]);
  return (
    findShopPath(options, pathname) ?? findShopPath(options, `/${segments.slice(end).join("/")}`)
  );
}

/** The path of a shop, if a path begins with it. */
function findShopPath({ shops }: StorefrontOptions, pathname: string): string | undefined {
  const first = pathname.split("/", 2)[1];
  return shops.find((shop) => shop.public.path === first)?.public.path;
}

function joinSignals(page: AbortSignal, call: AbortSignal | null | undefined): AbortSignal {
  return call === null || call === undefined ? page : AbortSignal.any([page, call]);
}

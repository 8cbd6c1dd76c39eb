import type { H3, H3Event } from "h3";
import { builtinMethods } from "../rpc/methods/builtin.ts";
import { RpcError } from "../rpc/error.ts";
import type { HandleBatch } from "./batch.ts";
import type { StorefrontOptions } from "./config/options.ts";
import type { RequestEvent } from "./request.ts";
import type { Respond } from "./responder.ts";
import type { Handle } from "./rpc-handler.ts";

/** The target of a call. */
export interface Route {
  readonly method: string;
  /** The path of a shop, if the URL has one. */
  readonly shopPath: string | undefined;
}

/** The routes of all methods, by their paths. */
export type RouteTable = ReadonlyMap<string, Route>;

/** A path outside of the methods, and its handler for all HTTP methods. */
export interface PlainRoute {
  /** In h3's syntax. A request must match a path without wildcards as text. */
  readonly path: string;
  /** Whether the path may end in a slash. @default false */
  readonly allowsSlash?: boolean;
  answer(event: RequestEvent): Response | Promise<Response>;
}

/** Lists each method below the base path, and below the path of each shop. */
export function createRouteTable({ basePath, shops, methods }: StorefrontOptions): RouteTable {
  const shopPaths = new Set([undefined, ...shops.map((shop) => shop.public.path)]);
  const names = Object.keys({ ...builtinMethods, ...methods });
  return new Map(
    [...shopPaths].flatMap((shopPath) => {
      const folder = `${shopPath === undefined ? "" : `/${shopPath}`}${basePath}/rpc`;
      return names.map((method) => [`${folder}/${method}`, { method, shopPath }] as const);
    }),
  );
}

/**
 * Adds the routes of calls to an app. h3 finds a path without parameters immediately; parameters take as long as
 * reading the session. Those are for unknown methods and shops, so that every path below `rpc` is ours.
 */
export function addCallRoutes(
  app: H3,
  table: RouteTable,
  { basePath }: StorefrontOptions,
  handle: Handle,
): void {
  for (const [path, route] of table) {
    app.all(path, (event) => handle(event.req, isExact(event, path) ? route : undefined));
  }
  for (const folder of [`${basePath}/rpc`, `/:shop${basePath}/rpc`]) {
    app.all(`${folder}/:method`, ({ req, context: { params } }) => {
      const { method = "", shop: shopPath } = params ?? {};
      return handle(req, isDecodable(method) ? { method, shopPath } : undefined);
    });
    app.all(`${folder}/**`, ({ req }) => handle(req, undefined));
  }
}

/** Adds the routes of batches: one below the base path, and one below the path of each shop. */
export function addBatchRoutes(
  app: H3,
  { basePath, shops }: StorefrontOptions,
  handle: Handle,
  handleBatch: HandleBatch,
): void {
  for (const shopPath of new Set([undefined, ...shops.map((shop) => shop.public.path)])) {
    const path = `${shopPath === undefined ? "" : `/${shopPath}`}${basePath}/rpc`;
    app.all(path, (event) =>
      isExact(event, path) ? handleBatch(event.req, shopPath) : handle(event.req, undefined),
    );
  }
  app.all(`/:shop${basePath}/rpc`, ({ req, context }) =>
    handleBatch(req, context.params?.["shop"]),
  );
}

/** Adds other routes to an app. */
export function addPlainRoutes(app: H3, routes: readonly PlainRoute[], respond: Respond): void {
  for (const { path, allowsSlash = false, answer } of routes) {
    const isPattern = path.endsWith("/**");
    app.all(path, (routed) =>
      respond(routed.req, (event) => {
        const isMatch =
          isPattern || isExact(routed, path) || (allowsSlash && isExact(routed, path, "/"));
        if (!isMatch) throw unknownPath(event);
        return answer(event);
      }),
    );
  }
}

/** The error for the path of a call that is not below the base path; `undefined` for any other path. */
export function outsideBasePath(
  url: string,
  { basePath }: StorefrontOptions,
): RpcError | undefined {
  const path = pathOf(url);
  if (!/\/rpc(?:\/|$)/.test(path)) return undefined;
  const detail = `The path ${JSON.stringify(path.slice(0, 200))} is not below basePath, which is ${JSON.stringify(basePath)}. If a framework mounts the storefront at a prefix, it must remove the prefix from the URL, or basePath must begin with it: see docs/mounting.md`;
  return new RpcError("unknown_path", { detail });
}

/** The error for a path that is no route. */
export function unknownPath({ url }: RequestEvent): RpcError {
  return new RpcError(isDecodable(url.pathname) ? "unknown_path" : "malformed_request");
}

// --- Internal helpers ---

/**
 * Whether a request's path equals a route as text, so that each route has one URL. h3 decodes paths and ignores a
 * slash at their end, so a request could bypass a rule in front of the storefront (a proxy's, a firewall's).
 * @param path the route's path without the path of an outer app, for example `/api/rpc/login`
 */
function isExact({ req, context }: H3Event, path: string, ending = ""): boolean {
  const route = path + ending;
  // With the path of an outer app, for example `/core/api/rpc/login`.
  const mounted = (context.matchedRoute?.route ?? path) + ending;
  const found = pathOf(req.url);
  if (!found.endsWith(route)) return false;
  const base = found.slice(0, -route.length);
  if (base.split("/").length !== mounted.slice(0, -route.length).split("/").length) return false;
  const target = req.runtime?.node?.req.url;
  if (target === undefined) return true;
  // A framework can remove its own part from the URL, but not from the target.
  const raw = pathOf(target);
  return raw === found || (raw.endsWith(route) && !unplain.test(raw.slice(0, -route.length)));
}

/** Characters that a URL parser, or a server in front, changes into another path. */
const unplain = /\\|\/\/|%(?:2e|2f|5c)|\/\.{1,2}(?:\/|$)/i;

/** The path of a URL, or of a request's target, which has no fragment to end it (RFC 9112, 3.2). */
function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, "").replace(/\?.*$/s, "");
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

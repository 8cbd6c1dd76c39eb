import type { H3, H3Event } from "h3";
import type { ServerRequest } from "srvx";
import type { RpcMethods } from "../rpc/method.ts";
import { RpcError } from "../rpc/error.ts";
import { findSimilar } from "../shared/similar.ts";
import { toHosts } from "./config/hosts.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";
import type { RequestEvent } from "./request.ts";
import type { createResponder } from "./responder.ts";
import { ShopHosts } from "./shop-hosts.ts";
import { unknownPath } from "./unknown-path.ts";
import { isDecodable, pathOf } from "./url-path.ts";

/** The target of a call. */
export interface Route {
  readonly method: string;
  /** The path of a shop, if the URL has one. */
  readonly shopPath: string | undefined;
}

/** A path outside of the methods, and its handler for all HTTP methods. */
export interface PlainRoute {
  /** In h3's syntax. A request must match a path without wildcards as text. */
  readonly path: string;
  /** Whether the path may end in a slash. @default false */
  readonly allowsSlash?: boolean;
  answer(event: RequestEvent): Response | Promise<Response>;
}

/** Lists each method by its path: below the base path, and below the path of each shop. */
export function createRouteTable(
  options: StorefrontOptions,
  methods: RpcMethods,
): ReadonlyMap<string, Route> {
  const names = Object.keys(methods);
  return new Map(
    listFolders(options).flatMap(([folder, shopPath]) =>
      names.map((method) => [`${folder}/${method}`, { method, shopPath }] as const),
    ),
  );
}

/**
 * Adds the routes of calls and batches to an app. h3 finds a path without parameters immediately; parameters take as
 * long as reading the session. Those are for unknown methods and shops, so that every path below `rpc` is the storefront's.
 * @param handle gets no route for a path below `rpc` that isn't that of a method
 */
export function addCallRoutes(
  app: H3,
  table: ReadonlyMap<string, Route>,
  options: StorefrontOptions,
  handle: (request: ServerRequest, route: Route | undefined) => Promise<Response>,
  handleBatch: (request: ServerRequest, shopPath: string | undefined) => Promise<Response>,
): void {
  for (const [path, route] of table) {
    app.all(path, (event) => handle(event.req, isExact(event, path) ? route : undefined));
  }
  const folder = `${options.basePath}/rpc`;
  for (const each of [folder, `/:shop${folder}`]) {
    app.all(`${each}/:method`, ({ req, context: { params } }) => {
      const { method = "", shop: shopPath } = params ?? {};
      return handle(req, isDecodable(method) ? { method, shopPath } : undefined);
    });
    app.all(`${each}/**`, ({ req }) => handle(req, undefined));
  }
  for (const [path, shopPath] of listFolders(options)) {
    app.all(path, (event) =>
      isExact(event, path) ? handleBatch(event.req, shopPath) : handle(event.req, undefined),
    );
  }
  app.all(`/:shop${folder}`, ({ req, context }) => handleBatch(req, context.params?.["shop"]));
}

/** Adds other routes to an app. */
export function addPlainRoutes(
  app: H3,
  routes: readonly PlainRoute[],
  respond: ReturnType<typeof createResponder>,
  { options, methods }: { readonly options: StorefrontOptions; readonly methods: RpcMethods },
): void {
  for (const { path, allowsSlash = false, answer } of routes) {
    const isPattern = path.endsWith("/**");
    app.all(path, (routed) =>
      respond(routed.req, (event) => {
        const isMatch =
          isPattern || isExact(routed, path) || (allowsSlash && isExact(routed, path, "/"));
        if (!isMatch) throw unknownPath(routed.req, options, methods);
        return answer(event);
      }),
    );
  }
}

/** The error for a method that doesn't exist. If the OpenAPI document lists all methods, it names a similar one. */
export function unknownMethod(
  name: string,
  methods: RpcMethods,
  { openApi }: StorefrontOptions,
): RpcError {
  const similar = openApi ? findSimilar(name, Object.keys(methods)) : undefined;
  const detail = similar === undefined ? undefined : `Did you mean ${similar}?`;
  return new RpcError("unknown_method", { detail });
}

/** Finds the shop of a call: by the header `x-shop-id`, or by host or path, as the config says. */
export class ShopResolver {
  /** The request headers that choose a shop, for `Vary`. `Host` is already part of a cache's key. */
  readonly vary: string;
  readonly #options: StorefrontOptions;
  readonly #byId: ReadonlyMap<string, Shop>;
  readonly #hosts: readonly (readonly [shop: Shop, hosts: ShopHosts])[];
  /** If no shop has a host of its own, only the path matters. */
  readonly #byPath: ReadonlyMap<string | undefined, Shop | undefined> | undefined;

  constructor(options: StorefrontOptions) {
    this.#options = options;
    // The keys are texts, so that only the exact digits match, and not `01001` or `1e3`.
    this.#byId = new Map(options.shops.map((shop) => [String(shop.shopId), shop]));
    this.#hosts = options.shops.map((shop) => [shop, new ShopHosts(shop.public.host)]);
    if (this.#hosts.every(([, hosts]) => !hosts.exist)) {
      const paths = [undefined, ...options.shops.map((shop) => shop.public.path)];
      this.#byPath = new Map(paths.map((path) => [path, this.#findAt(undefined, path)]));
    }
    const isForwarded = this.#byPath === undefined && options.trustProxy !== false;
    this.vary = isForwarded ? "x-shop-id, x-forwarded-host" : "x-shop-id";
  }

  /**
   * Finds the shop of a call: by the header, unless the path of the URL names another shop.
   * @param path the segment of the URL before the base path, if there is one
   * @throws RpcError `unknown_shop`
   */
  find(event: RequestEvent, path: string | undefined): Shop {
    const found = this.#find(event, path);
    if (found !== undefined) return found;
    throw new RpcError("unknown_shop", { detail: this.#describeUnknown(event, path) });
  }

  /** Finds the shop of the URL alone, without the header. */
  findByUrl(event: RequestEvent, path: string | undefined): Shop | undefined {
    return this.#byPath === undefined ? this.#findAt(event.url, path) : this.#byPath.get(path);
  }

  #find(event: RequestEvent, path: string | undefined): Shop | undefined {
    const id = event.req.headers.get("x-shop-id");
    if (id === null) return this.findByUrl(event, path);
    const named = this.#byId.get(id);
    if (path === undefined || named === undefined) return named;
    if (named.public.path !== path) return undefined;
    // Behind a proxy that rewrites Host, the URL matches no shop, and the header decides.
    return (this.findByUrl(event, path) ?? named) === named ? named : undefined;
  }

  /** Describes why a call has no shop: its header, or its URL, names none. */
  #describeUnknown(event: RequestEvent, path: string | undefined): string {
    const { basePath, shops } = this.#options;
    const ids = shops.map(({ shopId }) => shopId).join(", ");
    // First, because the typed client always sends the header.
    if (path !== undefined && !shops.some((shop) => shop.public.path === path)) {
      const prefix = `/${path.slice(0, 100)}`;
      if (`${basePath}/`.startsWith(`${prefix}/`)) {
        return `The URL has the start of basePath (${JSON.stringify(basePath)}) twice. Remove it from the baseURL of the client, or from the prefix of the mount: see docs/mounting.md`;
      }
      return `No shop has the path ${JSON.stringify(prefix)}${this.#addresses("; the shops are at ")}. If it is the prefix of a mount that the framework doesn't remove from the URL, set basePath to ${JSON.stringify(prefix + basePath)}: see docs/mounting.md`;
    }
    if (event.headers.has("x-shop-id")) {
      return `The header x-shop-id names no shop, or another one than the path of the URL. The shops are ${ids}`;
    }
    return `Send the header x-shop-id (${ids}), or use the URL of a shop${this.#addresses(": ")}. If a framework's fetch sent this call, check that it doesn't drop a Headers object: see docs/mounting.md`;
  }

  /** Lists the hosts and paths that name a shop, without those of the shops that only the header names. */
  #addresses(introduction: string): string {
    const { shops, shopSelector } = this.#options;
    const all = shops.flatMap(({ public: { host, path } }) => {
      const hosts = shopSelector === "path" ? [] : toHosts(host);
      const end = path === undefined ? "" : `/${path}`;
      return hosts.length > 0 ? hosts.map((each) => each + end) : end || [];
    });
    if (all.length === 0) return "";
    const rest = all.length > maxAddresses ? ", …" : "";
    return introduction + all.slice(0, maxAddresses).join(", ") + rest;
  }

  #findAt(url: URL | undefined, path: string | undefined): Shop | undefined {
    const { shops, shopSelector } = this.#options;
    const ofHost = this.#findAtHost(url);
    if (path !== undefined) {
      const anywhere = shopSelector === "domain" ? [] : this.#withoutHosts();
      const here = [...ofHost.map(({ shop }) => shop), ...anywhere];
      return here.find((shop) => shop.public.path === path);
    }
    if (shopSelector === "path") return undefined;
    const closest = ofHost.filter(({ rank }) => rank === ofHost[0]?.rank).map(({ shop }) => shop);
    const atRoot = closest.find((shop) => shop.public.path === undefined);
    const onlyOne = closest.length === 1 ? closest[0] : undefined;
    const byDefault = shopSelector === "path_or_default" && shops.find((shop) => shop.isDefault);
    return atRoot ?? onlyOne ?? (byDefault || undefined);
  }

  /** The shops at the host of a URL, the closest match first. */
  #findAtHost(url: URL | undefined): readonly { readonly shop: Shop; readonly rank: number }[] {
    if (url === undefined) return [];
    return this.#hosts
      .map(([shop, hosts]) => ({ shop, rank: hosts.rank(url) }))
      .filter(({ rank }) => rank > 0)
      .toSorted((first, second) => second.rank - first.rank);
  }

  #withoutHosts(): readonly Shop[] {
    return this.#hosts.filter(([, hosts]) => !hosts.exist).map(([shop]) => shop);
  }
}

// --- Internal helpers ---

/** The most addresses of shops in an error response. */
const maxAddresses = 10;

/** The folders of the methods, each with its shop's path. */
function listFolders({ basePath, shops }: StorefrontOptions) {
  const shopPaths = new Set([undefined, ...shops.map((shop) => shop.public.path)]);
  return [...shopPaths].map((shopPath) => {
    const shop = shopPath === undefined ? "" : `/${shopPath}`;
    return [`${shop}${basePath}/rpc`, shopPath] as const;
  });
}

/**
 * Whether a request's path equals a route as text, so that each route has one URL. h3 decodes paths and ignores a slash
 * at their end: a request could then bypass a rule of a proxy or a firewall.
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

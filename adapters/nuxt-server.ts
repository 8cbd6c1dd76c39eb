/** The part of the Nuxt module in Nitro: the public entry `storefront-core/nuxt/server`, for the module's own code. */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createRpcCaller,
  createStorefront,
  isStorefrontPath,
  type RpcCaller,
  type RpcMethods,
  type Storefront,
  type StorefrontConfig,
  type StorefrontSettings,
} from "../server/index.ts";
import { toNodeHandler } from "./node.ts";

/** `event.context.storefront` of every request in Nuxt's server. */
export interface NitroStorefront {
  readonly app: Storefront;
  /** The settings that the browser needs to send calls. */
  readonly forBrowser: { readonly basePath: string; readonly shopPaths: readonly string[] };
  /** The page that an event requests. Your own handlers can use it, too: then call `finish` before the response. */
  pageOf(event: NitroEvent): NitroPage;
}

/** The calls of a page that the server is rendering. */
export interface NitroPage {
  callerOf<Methods extends RpcMethods>(shopId: number | undefined): RpcCaller<Methods>;
  /**
   * Adds the headers of the calls to the page's response.
   * @returns the page's own path, if the browser must request it again with its new cookie
   * @throws Error if Nitro caches the page, and a call depended on the visitor's session
   */
  finish(): string | undefined;
}

/** An event of h3 1. */
export interface NitroEvent {
  readonly method: string;
  /** The path and query without `app.baseURL`. */
  readonly path: string;
  readonly headers: Headers;
  readonly node: { readonly req: IncomingMessage; readonly res: ServerResponse };
  readonly context: Record<string, unknown>;
}

/** The values that Nitro's bundle contains. */
export interface NitroMountOptions {
  readonly isDevelopment: boolean;
  /** The folder of the app, if this is its development server. */
  readonly developmentFolder?: string | undefined;
  readonly isPrerendering: boolean;
  /** Reads the body of a request that has no connection: `readRawBody` of h3 1. */
  readonly readBody: (event: never) => Promise<string | undefined> | undefined;
}

/** The default export of a config's file. */
type ConfigExport = StorefrontConfig | (() => StorefrontConfig | Promise<StorefrontConfig>);

/**
 * Opens the storefront of a config for Nitro 2, which Nuxt 4 runs on.
 * @throws ConfigError at startup, unless the config is an async function: then each request fails
 */
export function mountInNitro(
  config: ConfigExport,
  { isDevelopment, developmentFolder, isPrerendering, readBody }: NitroMountOptions,
) {
  // The build can lack the secrets of production.
  const production = !isDevelopment && !isPrerendering;
  const opened = open(config, { production, developmentFolder });
  /** The events that came from clients, and not from Nitro itself. */
  const received = new WeakSet<NitroEvent>();
  let storefront: NitroStorefront | undefined;

  return {
    /** A plugin: sets `event.context.storefront`, and closes the storefront with Nitro. */
    plugin({ hooks }: NitroApp): void {
      hooks.hook("request", async (event) => {
        storefront ??= createNitroStorefront(await opened, received);
        event.context["storefront"] = storefront;
        if (!isPrerendering) received.add(event);
      });
      hooks.hook("close", async () => (await opened).close());
    },
    /** A middleware: responds to the paths of the storefront. */
    async handler(event: NitroEvent): Promise<Response | undefined> {
      const app = await opened;
      if (isPrerendering || !isStorefrontPath(app, withoutBase(event))) return undefined;
      const { req, res } = event.node;
      if ("__unenv__" in req) return app.fetch(await toLocalRequest(event, readBody));
      await toNodeHandler(app)(req, res);
      return undefined;
    },
  };
}

// --- Internal helpers ---

interface NitroApp {
  readonly hooks: {
    hook(name: "request", callback: (event: NitroEvent) => Promise<void>): unknown;
    hook(name: "close", callback: () => Promise<void>): unknown;
  };
}

function open(
  config: ConfigExport,
  settings: StorefrontSettings,
): Storefront | Promise<Storefront> {
  const value = typeof config === "function" ? config() : config;
  return value instanceof Promise
    ? value.then((awaited) => createStorefront(awaited, settings))
    : createStorefront(value, settings);
}

function createNitroStorefront(app: Storefront, received: WeakSet<NitroEvent>): NitroStorefront {
  const { basePath, shops } = app.options;
  const shopPaths = shops.flatMap(({ public: { path } }) => (path === undefined ? [] : [path]));
  const pages = new WeakMap<NitroEvent, NitroPage>();
  return {
    app,
    forBrowser: { basePath, shopPaths },
    pageOf(event) {
      const page = pages.get(event) ?? createPage(app, event, !received.has(event));
      pages.set(event, page);
      return page;
    },
  };
}

/** @param isShared whether Nitro stores the page for all visitors: it then renders it with an event of its own */
function createPage(app: Storefront, event: NitroEvent, isShared: boolean): NitroPage {
  const request = toRequest(event, { method: event.method });
  let latest: RpcCaller<RpcMethods> | undefined;
  return {
    callerOf<Methods extends RpcMethods>(shopId: number | undefined) {
      const caller = createRpcCaller<Methods>(app, request, { shopId });
      latest = caller as unknown as RpcCaller<RpcMethods>;
      return caller;
    },
    finish() {
      if (latest === undefined) return undefined;
      const { headers, redirect } = latest;
      if (isShared && headers.has("cache-control")) throw new Error(ofOneVisitor(event.path));
      const { res } = event.node;
      for (const [name, value] of headers) {
        if (name === "set-cookie") res.appendHeader(name, value);
        else res.setHeader(name, value);
      }
      return event.path.startsWith("/__nuxt_error") ? undefined : redirect;
    },
  };
}

function ofOneVisitor(path: string): string {
  return `useRpc: all visitors get the same copy of ${path}, because Nitro prerenders or caches it (routeRules). So it can't contain results of methods that use a session. Call them in the browser (useAsyncData with server: false), or don't cache the page: see docs/ssr.md`;
}

/** The path and query as the client sent them, without `app.baseURL`. h3 joins repeated slashes in `event.path`. */
function withoutBase({ path, node: { req } }: NitroEvent): string {
  const { originalUrl = path } = req as IncomingMessage & { readonly originalUrl?: string };
  const own = path.split("?", 1)[0] as string;
  const [sent] = originalUrl.split("?", 1) as [string];
  return sent.endsWith(own) ? originalUrl.slice(sent.length - own.length) : originalUrl;
}

/**
 * Creates the request of a call that has no connection: one of the server's own (`$fetch`), or any call on a host
 * without Node.js.
 */
async function toLocalRequest(
  event: NitroEvent,
  readBody: NitroMountOptions["readBody"],
): Promise<Request> {
  const hasBody = /^(?:POST|PUT|PATCH|DELETE)$/.test(event.method);
  const body = hasBody ? await readBody(event as never) : undefined;
  return toRequest(event, { method: event.method, body: body ?? null });
}

/** Creates a web request with the headers of an event, the client's address, and a signal of the connection. */
function toRequest({ headers, path, context, node: { req, res } }: NitroEvent, init: RequestInit) {
  const socket = req.socket as (typeof req.socket & { readonly encrypted?: boolean }) | undefined;
  const origin = `${socket?.encrypted === true ? "https" : "http"}://${req.headers.host}`;
  const url = (URL.canParse(origin) ? origin : "http://localhost") + path;
  const gone = new AbortController();
  res.once("close", () => {
    if (!res.writableEnded) gone.abort(new DOMException("The client disconnected", "AbortError"));
  });
  const request = new Request(url, { ...init, headers, signal: gone.signal });
  return Object.assign(request, { ip: socket?.remoteAddress || context["clientAddress"] });
}

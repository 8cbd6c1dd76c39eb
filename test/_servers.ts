import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { H3, serve, toNodeHandler } from "h3";
import { listen } from "../server/cli/listen.ts";
import { createFastRoutes, createServerApp } from "../server/cli/http-server.ts";
import type { OpenStorefront } from "../server/storefront.ts";
import { requirePeer } from "./_peers.ts";
import type { Send } from "./_cookie-client.ts";

/** How a test serves a storefront. */
export type ServerKind = keyof typeof servers;

/** Serves a storefront until `endings` are called. */
type Open = (storefront: OpenStorefront, endings: Endings) => Send | Promise<Send>;
type Endings = (() => Promise<unknown>)[];

/** The servers by name. The first two have the routes of `storefront start`; the others serve the app itself. */
export const servers = {
  request: viaServerApp,
  async server(storefront, endings) {
    const running = await listen(storefront, await createServerApp(storefront), "127.0.0.1", 0);
    endings.push(() => running.stop("reload"));
    return viaSocket(running.url);
  },
  alone: ({ app }) => viaFetch(app),
  async "alone over a socket"({ app }, endings) {
    const options = { port: 0, hostname: "127.0.0.1", silent: true, gracefulShutdown: false };
    const server = serve(app, options);
    await server.ready();
    endings.push(() => server.close(true));
    return viaSocket(server.url as string);
  },
  "mounted at /": ({ app }) => viaFetch(createOuter().mount("/", app)),
  "mounted below a path": ({ app }) => viaFetch(createOuter().mount("/core", app), "/core"),
  "mounted below a path over a socket"({ app }, endings) {
    const outer = createOuter().mount("/core", { fetch: app.fetch });
    return viaListener(toNodeHandler(outer), endings, "/core");
  },
  Express({ app }, endings) {
    const express = (requirePeer("express") as Express)();
    const paths = ["/api/*path", "/:shop/api/*path", "/healthz", "/readyz"];
    express.all(paths, toNodeHandler(app));
    return viaListener(express, endings);
  },
} satisfies Record<string, Open>;

/** Whether the server has the routes of `storefront start`, which respond to every path with problem+json. */
export function isOwnServer(server: ServerKind): boolean {
  return server === "request" || server === "server";
}

/** Serves with Node until `endings` are called. */
export async function viaListener(
  listener: RequestListener,
  endings: Endings,
  base = "",
): Promise<Send> {
  const server = createServer({ maxHeaderSize: 32_768 }, listener).listen(0, "127.0.0.1");
  endings.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return viaSocket(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, base);
}

// --- Internal helpers ---

interface Express {
  (): RequestListener & { all(paths: readonly string[], handler: RequestListener): void };
}

function createOuter(): H3 {
  return new H3({ silent: true });
}

/** The routes are those at the first request, as for a server that starts then. */
function viaServerApp(storefront: OpenStorefront): Send {
  const middleware = createFastRoutes(storefront);
  let app: Promise<H3> | undefined;
  return async (path, init) => {
    const request = new Request(new URL(path, "http://localhost"), init);
    const { fetch } = await (app ??= createServerApp(storefront));
    return middleware(request, () => fetch(request));
  };
}

function viaFetch({ fetch }: Pick<H3, "fetch">, base = ""): Send {
  return async (path, init) => fetch(new Request(`http://localhost${base}${path}`, init));
}

function viaSocket(url: string, base = ""): Send {
  const { origin } = new URL(url);
  return (path, init) => fetch(`${origin}${base}${path}`, init);
}

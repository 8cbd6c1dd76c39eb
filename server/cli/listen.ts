import type { Server as HttpServer } from "node:http";
import { serve } from "h3";
import type { OpenStorefront, Storefront } from "../storefront.ts";
import { nodeHeaderCount, nodeHeaderSize } from "../request.ts";
import type { StorefrontOptions } from "../config/options.ts";
import { Connections, createFastRoutes, createServerApp } from "./http-server.ts";

/** A running server. */
export interface Running {
  readonly app: Storefront;
  readonly url: string;
  readonly port: number;
  /**
   * Drains the server: `/readyz` responds 503, then the port closes, then the connections end.
   * @param dropsIdle closes the port and idle connections immediately, and waits only for calls in flight
   */
  stop(options?: { readonly dropsIdle?: boolean }): Promise<void>;
}

/**
 * Serves a storefront as `storefront start` does.
 * @throws Error with one line for an operator if the port or the address cannot be used
 */
export async function listen(
  storefront: OpenStorefront,
  host: string,
  port: number,
): Promise<Running> {
  const { app } = storefront;
  const { server: settings, log } = app.options;
  const connections = new Connections();
  const server = serve(createServerApp(storefront), {
    middleware: [createFastRoutes(storefront)],
    port,
    hostname: host,
    manual: true,
    silent: true,
    gracefulShutdown: false,
    node: {
      maxHeaderSize: nodeHeaderSize,
      keepAliveTimeout: settings.keepAliveTimeout * 1000,
      headersTimeout: settings.headersTimeout * 1000,
      requestTimeout: settings.requestTimeout * 1000,
      // Node looks for late requests every 30 seconds by default.
      connectionsCheckingInterval: 1000,
      ServerResponse: connections.createResponseClass(),
    },
  });
  const node = server.node?.server as HttpServer;
  node.maxHeadersCount = nodeHeaderCount;
  connections.watch(node);
  limitConnections(node, app.options);
  try {
    await server.serve();
    await server.ready();
  } catch (error) {
    await app.close();
    throw toListenError(error, host, port);
  }
  const url = new URL(server.url as string);
  return {
    app,
    url: url.href,
    port: Number(url.port) || 80,
    async stop({ dropsIdle = false } = {}) {
      app.drain();
      if (!dropsIdle) await connections.delay(settings.drainDelay);
      const calls = await connections.end(node, settings.drainTimeout, dropsIdle);
      if (calls > 0) log.warn("Calls were cut, because server.drainTimeout has passed", { calls });
      await server.close();
      await app.close();
    },
  };
}

// --- Internal helpers ---

/** Closes connections above the limit, and logs it once a minute at most. */
function limitConnections(
  node: HttpServer,
  { server: { maxConnections }, log }: StorefrontOptions,
): void {
  node.maxConnections = maxConnections;
  let dropped = 0;
  let loggedAt = -Infinity;
  node.on("drop", () => {
    dropped++;
    const now = performance.now();
    if (now - loggedAt < 60_000) return;
    log.warn("Connections were closed, because server.maxConnections is reached", {
      maxConnections,
      dropped,
    });
    loggedAt = now;
    dropped = 0;
  });
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const noAddress = `--host: ${JSON.stringify(host)} is no address of this machine`;
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is already in use. Stop the other process, or choose another port with --port`,
    EACCES: `This user isn't allowed to use port ${port}. Choose another port with --port`,
    EADDRNOTAVAIL: noAddress,
    EAFNOSUPPORT: noAddress,
    EAI_AGAIN: noAddress,
    ENOTFOUND: noAddress,
  };
  const message = messages[String((error as { readonly code?: unknown }).code)];
  return message === undefined ? error : new Error(message, { cause: error });
}

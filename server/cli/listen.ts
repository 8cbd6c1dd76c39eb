import cluster from "node:cluster";
import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { serve, type H3 } from "h3";
import type { OpenStorefront } from "../storefront.ts";
import type { Storefront } from "../storefront-app.ts";
import { nodeHeaderCount, nodeHeaderSize } from "../request.ts";
import { StartError } from "../config/start-error.ts";
import type { StorefrontOptions } from "../config/options.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { createProxyTrust } from "../peer.ts";
import { Connections, createFastRoutes, type StopReason } from "./http-server.ts";

/** A running server. */
export interface Running {
  readonly app: Storefront;
  readonly url: string;
  readonly port: number;
  /**
   * Drains the server: `/readyz` responds 503, then the port closes, then the connections end.
   * @param reason `reload` closes the port and idle connections immediately, and waits only for calls in flight.
   * `replaced` leaves `/readyz` as it is, and closes immediately, because another process listens on the same port.
   */
  stop(reason: StopReason): Promise<void>;
}

/**
 * Serves a storefront as `storefront start` does.
 * @param serverApp from `createServerApp`
 * @throws StartError with one line for an operator if the port or the address cannot be used
 */
export async function listen(
  storefront: OpenStorefront,
  serverApp: H3,
  host: string,
  port: number,
): Promise<Running> {
  const { app, metrics } = storefront;
  const { server: settings, log } = app.options;
  const connections = new Connections();
  const server = serve(serverApp, {
    middleware: [createFastRoutes(storefront)],
    // Otherwise srvx reads the variables PORT and HOST.
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
  limitConnections(node, connections, app.options);
  countClosedIdle(node, storefront);
  let closeMetrics: () => void;
  try {
    closeMetrics = await openMetricsServer(metrics, host, log);
  } catch (error) {
    await app.close();
    const { port: own = 0, host: ownHost } = metrics?.source ?? {};
    const options = {
      port: "prometheus({ port })",
      host: ownHost === undefined ? "--host" : "prometheus({ host })",
    };
    throw toListenError(error, ownHost ?? host, own, options);
  }
  try {
    // Not `server.serve()`: it listens exclusively, so a second worker could not use the port.
    node.listen({ port, host });
    await once(node, "listening");
  } catch (error) {
    closeMetrics();
    await app.close();
    throw toListenError(error, host, port, { port: "--port", host: "--host" });
  }
  const url = new URL(server.url as string);
  return {
    app,
    url: url.href,
    port: Number(url.port) || 80,
    async stop(reason) {
      if (reason !== "replaced") app.drain();
      // Until its last call, a server that shuts down can be watched.
      if (reason === "reload") closeMetrics();
      if (reason === "shutdown") await connections.delay(settings.drainDelay);
      const calls = await connections.end(node, settings.drainTimeout, reason);
      if (calls > 0)
        log.warn("Calls were interrupted, because server.drainTimeout has passed", { calls });
      await server.close();
      closeMetrics();
      await app.close();
    },
  };
}

// --- Internal helpers ---

/** Closes connections above the limit, and logs it once a minute at most. */
function limitConnections(
  node: HttpServer,
  connections: Connections,
  { server: { maxConnections }, log }: StorefrontOptions,
): void {
  let dropped = 0;
  let loggedAt = -Infinity;
  if (cluster.isWorker) {
    // With Node's limit, workers that are full would pass the connection on to each other in a loop.
    node.on("connection", (socket) => {
      if (connections.count <= maxConnections) return;
      socket.destroy();
      report();
    });
  } else {
    node.maxConnections = maxConnections;
    node.on("drop", report);
  }

  function report(): void {
    dropped++;
    const now = performance.now();
    if (now - loggedAt < 60_000) return;
    log.warn("Connections were closed, because server.maxConnections is reached", {
      maxConnections,
      dropped,
    });
    loggedAt = now;
    dropped = 0;
  }
}

/** Closes idle connections, as Node does without this listener, and counts those of trusted proxies. */
function countClosedIdle(node: HttpServer, { app, connectionCounts }: OpenStorefront): void {
  const trusts = createProxyTrust(app.options.trustProxy);
  node.on("timeout", (socket) => {
    if (trusts(socket.remoteAddress)) connectionCounts.closedIdle++;
    socket.destroy();
  });
}

/** @param options the names of the options that chose the port and the address */
function toListenError(
  error: unknown,
  host: string,
  port: number,
  options: { readonly port: string; readonly host: string },
): unknown {
  const noAddress = [
    "SF905",
    `${options.host}: ${JSON.stringify(host)} isn't an address of this machine`,
  ] as const;
  const messages: Readonly<Record<string, readonly [StartError["code"], string]>> = {
    EADDRINUSE: [
      "SF903",
      `Port ${port} is already in use. Stop the other process, or choose another port with ${options.port}`,
    ],
    EACCES: [
      "SF904",
      `This user isn't allowed to use port ${port}. Choose another port with ${options.port}`,
    ],
    EADDRNOTAVAIL: noAddress,
    EAFNOSUPPORT: noAddress,
    EAI_AGAIN: noAddress,
    ENOTFOUND: noAddress,
  };
  const known = messages[String((error as { readonly code?: unknown }).code)];
  return known === undefined ? error : new StartError(known[0], known[1], { cause: error });
}

import { once } from "node:events";
import { createServer } from "node:http";
import { describeError, type Logger } from "../../shared/log.ts";
import { metricsPath } from "../own-paths.ts";
import type { Metrics } from "../metrics.ts";
import { pathOf } from "../url-path.ts";

/**
 * Serves `/metrics` on a port of its own, if the config names one. It needs no token.
 * @param host the address if the config names none
 * @returns a function that closes the port
 * @throws Error if the port or the address cannot be used
 */
export async function openMetricsServer(
  metrics: Metrics | undefined,
  host: string,
  log: Logger,
): Promise<() => void> {
  const { port, host: own = host } = metrics?.source ?? {};
  if (metrics === undefined || port === undefined) return () => undefined;
  const { contentType } = metrics.source;
  const server = createServer(({ method, url = "" }, response) => {
    if (pathOf(url) !== metricsPath || (method !== "GET" && method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" }).end(`See ${metricsPath}\n`);
      return;
    }
    metrics.format().then(
      (text) => response.writeHead(200, { "content-type": contentType }).end(text),
      (error: unknown) => {
        log.error("The metrics could not be read", { error: describeError(error) });
        response.writeHead(500).end();
      },
    );
  });
  server.listen({ port, host: own });
  await once(server, "listening");
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

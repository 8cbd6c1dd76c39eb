import { once } from "node:events";
import { connect } from "node:net";
import { serve, type H3 } from "h3";
import { onTestFinished } from "vitest";
import { createServerApp } from "../server/cli/http-server.ts";
import { listen } from "../server/cli/listen.ts";
import type { OpenStorefront } from "../server/storefront.ts";

/** Serves a storefront as `storefront start` does, until the test ends. */
export async function serveOnPort(storefront: OpenStorefront): Promise<number> {
  const running = await listen(storefront, await createServerApp(storefront), "127.0.0.1", 0);
  onTestFinished(() => running.stop("reload"));
  return running.port;
}

/** Serves an app with h3's own `serve`, until the test ends. */
export async function serveApp(app: H3): Promise<number> {
  const options = { port: 0, hostname: "127.0.0.1", silent: true, gracefulShutdown: false };
  const server = serve(app, { ...options, node: { maxHeaderSize: 65_536 } });
  onTestFinished(() => server.close(true));
  await server.ready();
  return Number(new URL(server.url as string).port);
}

/** Sends raw bytes, and reads until the server closes: the request has `Connection: close`. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return answer;
}

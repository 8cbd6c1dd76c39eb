import { once } from "node:events";
import { connect } from "node:net";
import { serve } from "h3";
import { onTestFinished } from "vitest";
import type { Storefront } from "../server/storefront.ts";

/** Serves a storefront until the test ends. */
export async function serveOnPort(app: Storefront): Promise<number> {
  const server = serve(app, {
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
    gracefulShutdown: false,
    node: { maxHeaderSize: 65_536 },
  });
  onTestFinished(() => server.close(true));
  await server.ready();
  return Number(new URL(server.url as string).port);
}

/** Sends bytes as they are, and reads until the server closes: the request says `Connection: close`. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return answer;
}

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** A storage behind HTTP. */
export interface FileServer {
  readonly url: string;
  /** The stored files, by path. */
  readonly files: Map<string, Buffer>;
  /** Sent with status 200 instead of each file, as a proxy does whose login has expired; `undefined`: the files. */
  page: string | Buffer | undefined;
}

/** Starts the least that unstorage's http driver talks to, until the test ends. */
export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const { method, url = "" } = request;
    const body = await buffer(request);
    if (started.page !== undefined) {
      return void response.end(method === "GET" ? started.page : undefined);
    }
    if (method === "PUT") files.set(url, body);
    if (method === "DELETE") files.delete(url);
    const isMissing = (method === "GET" || method === "HEAD") && !files.has(url);
    response.writeHead(isMissing ? 404 : 200).end(method === "GET" ? files.get(url) : undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const started: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    page: undefined,
  };
  return started;
}

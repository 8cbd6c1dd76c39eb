import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A proxy in front of a commerce system, which delays requests, fails them, and loses responses. */
export interface FaultProxy {
  readonly url: string;
  /** The fault of later requests. */
  faults: Faults;
  /** The requests that have arrived, in order. */
  readonly requests: readonly SeenRequest[];
  stop(): Promise<void>;
}

export interface Faults {
  /** Milliseconds before a request reaches the system. */
  readonly delay?: number;
  /** The status of all responses, without a request to the system. */
  readonly status?: number;
  /** Chooses requests that the system executes, while their clients get no response. */
  readonly lose?: (request: SeenRequest) => boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The headers of the response; empty until it came. */
  readonly response: Headers;
}

/** Starts a proxy for a server on loopback. @param target its origin */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const requests: SeenRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { method = "GET", url: path = "/" } = incoming;
    const request = { method, path, body, response: new Headers() };
    requests.push(request);
    const { delay, status, lose } = proxy.faults;
    if (delay !== undefined) await sleep(delay);
    if (status !== undefined) {
      outgoing.writeHead(status, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
      return;
    }
    try {
      const response = await fetch(target + path, {
        method,
        headers: toHeaders(incoming.headers),
        ...(body !== "" && { body }),
        redirect: "manual",
      });
      const text = await response.text();
      for (const [name, value] of response.headers) request.response.set(name, value);
      if (lose?.(request)) outgoing.destroy();
      else outgoing.writeHead(response.status, toHeaders(response.headers)).end(text);
    } catch {
      // The system is down.
      outgoing.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    faults: {},
    requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

// --- Internal helpers ---

/** Headers of a connection, and those of an encoding that `fetch` has decoded. */
const dropped = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
]);

function toHeaders(headers: Headers | NodeJS.Dict<string | string[]>): Record<string, string> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  return Object.fromEntries(
    entries.filter(([name]) => !dropped.has(name)).map(([name, value]) => [name, String(value)]),
  );
}

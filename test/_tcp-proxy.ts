import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy for a local server until the test ends. */
export interface TcpProxy {
  readonly url: string;
  readonly port: number;
  /** The target of new connections. */
  target: number;
  /** Makes open connections drop all bytes silently. @returns the number of connections */
  silence(which?: (sent: string) => boolean): number;
}

/** Starts a proxy for a port. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    const upstream = connect(proxy.target, "127.0.0.1");
    const pair: Pair = { sockets: [client, upstream], sent: "", isSilent: false };
    pairs.add(pair);
    client.on("data", (data) => {
      pair.sent += data.toString("latin1");
      if (!pair.isSilent) upstream.write(data);
    });
    upstream.on("data", (data) => pair.isSilent || client.write(data));
    for (const socket of pair.sockets) {
      socket.on("error", () => {});
      socket.on("close", () => {
        if (!pair.isSilent) end(pair);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy: TcpProxy = {
    url: `redis://127.0.0.1:${port}`,
    port,
    target,
    silence(which = () => true) {
      const chosen = [...pairs].filter(({ sent, isSilent }) => !isSilent && which(sent));
      for (const pair of chosen) pair.isSilent = true;
      return chosen.length;
    },
  };
  onTestFinished(() => {
    for (const pair of pairs) end(pair);
    server.close();
  });
  return proxy;

  function end(pair: Pair): void {
    pairs.delete(pair);
    for (const socket of pair.sockets) socket.destroy();
  }
}

// --- Internal helpers ---

interface Pair {
  readonly sockets: readonly [client: Socket, upstream: Socket];
  /** The bytes that the client has sent, as Latin-1. */
  sent: string;
  isSilent: boolean;
}

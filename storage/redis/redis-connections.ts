import { setInterval } from "node:timers";
import type { LoopTimer, Timed } from "../documents/loop-timer.ts";
import type { RedisClient, RedisConnection } from "./redis-client.ts";
import { toReason, type RedisOutages } from "./redis-outages.ts";

/** The monitored connections of a client. */
export interface Connections {
  /** Pings each connection, and ends those that don't reply; the client then opens new ones. */
  probe(): void;
  close(): void;
}

/** The dependencies of the monitor. */
export interface WatchOptions {
  readonly timer: LoopTimer;
  readonly outages: RedisOutages;
  /** Called when a connection has ended: its commands are lost. */
  onClose(): void;
}

/**
 * Ends connections that don't reply within the time limit, even while they open: otherwise a connection that died
 * silently (no FIN, no RST) would stay open forever. Logs each outage once, with host and port.
 *
 * The timer replaces the `commandTimeout` of the connections, which would reject replies that have arrived. No
 * connection repeats a command that another one may have run.
 */
export function watchConnections(
  client: RedisClient,
  { timer, outages, onClose }: WatchOptions,
): Connections {
  const probing = new Set<RedisConnection>();
  if (client.isCluster) client.on("+node", watch);
  for (const connection of connectionsOf(client)) watch(connection);
  if (client.isCluster) client.on("error", (error) => fail(client, error));
  // Ping idle connections, too: otherwise the first call after a quiet night fails on a dead connection.
  const heartbeat = setInterval(probe, heartbeatInterval);
  heartbeat.unref();
  return { probe, close: () => clearInterval(heartbeat) };

  function probe(): void {
    for (const connection of connectionsOf(client)) {
      if (connection.status === "ready" && !probing.has(connection)) ping(connection);
    }
  }

  function ping(connection: RedisConnection): void {
    const endPing = () => {
      probing.delete(connection);
      timer.end(timed);
    };
    const timed = timer.start(() => {
      probing.delete(connection);
      cut(connection);
    });
    probing.add(connection);
    // An error reply is a reply, too.
    connection.ping().then(endPing, endPing);
  }

  function watch(connection: RedisConnection): void {
    let handshake: Timed | undefined;
    const endHandshake = () => {
      if (handshake !== undefined) timer.end(handshake);
    };
    Object.assign(connection.options ?? {}, ownOptions);
    connection.on("connect", () => {
      endHandshake();
      handshake = timer.start(() => cut(connection));
    });
    connection.on("close", () => {
      endHandshake();
      onClose();
    });
    connection.on("ready", () => {
      endHandshake();
      outages.end(toAddress(connection));
      if (client.isCluster) outages.end(toAddress(client));
    });
    connection.on("error", (error) => {
      fail(connection, error);
      // ioredis would go on with database 0, which can belong to another shop.
      if (isSelect(error)) connection.stream?.destroy();
    });
  }

  function fail(connection: RedisConnection, error: Error): void {
    // If a cluster reaches none of its nodes, the error of the last node has the reason.
    const { lastNodeError = error } = error as Error & { readonly lastNodeError?: Error };
    outages.begin(toAddress(connection), toReason(lastNodeError));
  }

  /** Destroys the socket, because `disconnect` waits for two seconds. */
  function cut(connection: RedisConnection): void {
    outages.begin(toAddress(connection), "no response");
    connection.stream?.destroy();
  }
}

/** The address of a connection, without user and password. */
export function toAddress({ options = {}, startupNodes }: RedisConnection): string {
  const { path, host = "localhost", port = 6379, sentinels, name } = options;
  const nodes = sentinels ?? startupNodes;
  if (nodes?.length) {
    const standard = sentinels?.length ? 26379 : 6379;
    const addresses = nodes.map((node) => toNodeAddress(node, standard)).join(", ");
    return name ? `the master "${name}" of ${addresses}` : addresses;
  }
  return path ?? `${host}:${port}`;
}

// --- Internal helpers ---

/** Applies to clients of driver objects, too. */
const ownOptions = { commandTimeout: undefined, autoResendUnfulfilledCommands: false };

/** Whether Redis refused the database that the connection is to use. */
function isSelect(error: Error): boolean {
  const { command } = error as { readonly command?: { readonly name?: unknown } };
  return command?.name === "select";
}

/** Milliseconds. */
const heartbeatInterval = 5000;

function connectionsOf(client: RedisClient): readonly RedisConnection[] {
  return client.isCluster ? (client.nodes?.("all") ?? []) : [client];
}

/** The forms that ioredis accepts: a port, an address with or without `redis://user:password@`, or an object. */
function toNodeAddress(node: unknown, standard: number): string {
  if (typeof node === "object" && node !== null) {
    const { host = "localhost", port = standard } = node as { host?: string; port?: number };
    return `${host}:${port}`;
  }
  const text = String(node);
  if (/^\d+$/.test(text)) return `localhost:${text}`;
  const address = text.includes("//") ? text : `redis://${text}`;
  if (!URL.canParse(address)) return "an unreadable address";
  const { hostname, port } = new URL(address);
  return `${hostname}:${port || standard}`;
}

import { setInterval } from "node:timers";
import type { LoopTimer, Timed } from "./loop-timer.ts";
import type { RedisClient, RedisConnection } from "./redis-client.ts";
import { toReason, type RedisOutages } from "./redis-outages.ts";

/** The connections of a client, watched. */
export interface Connections {
  /** Tries each connection, and ends those that do not answer: the client then makes new ones. */
  probe(): void;
  close(): void;
}

/** What watching stands on. */
export interface WatchOptions {
  readonly timer: LoopTimer;
  readonly outages: RedisOutages;
  /** Is called when a connection has ended: the commands on it are lost. */
  onClose(): void;
}

/**
 * Ends connections that answer nothing within the time limit, also while they begin: one that was cut without
 * a word (no FIN, no RST) would be kept forever. Each outage is logged once, with host and port.
 *
 * The timer replaces the `commandTimeout` of the connections, which would reject replies that have arrived. No
 * connection sends again what another one may have done.
 */
export function watchConnections(
  client: RedisClient,
  { timer, outages, onClose }: WatchOptions,
): Connections {
  const probing = new Set<RedisConnection>();
  if (client.isCluster) client.on("+node", watch);
  for (const connection of connectionsOf(client)) watch(connection);
  if (client.isCluster) client.on("error", (error) => fail(client, error));
  // Also while no call comes: what was cut in the night should not cost the first call of the morning.
  const heartbeat = setInterval(probe, heartbeatInterval);
  heartbeat.unref();
  return { probe, close: () => clearInterval(heartbeat) };

  function probe(): void {
    for (const connection of connectionsOf(client)) {
      if (connection.status === "ready" && !probing.has(connection)) ping(connection);
    }
  }

  function ping(connection: RedisConnection): void {
    const isAnswered = () => {
      probing.delete(connection);
      timer.end(timed);
    };
    const timed = timer.start(() => {
      probing.delete(connection);
      cut(connection);
    });
    probing.add(connection);
    // A refusal is an answer, too.
    connection.ping().then(isAnswered, isAnswered);
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
    connection.on("error", (error) => fail(connection, error));
  }

  function fail(connection: RedisConnection, error: Error): void {
    // A cluster that reaches none of its nodes says why with the last of them.
    const { lastNodeError = error } = error as Error & { readonly lastNodeError?: Error };
    outages.begin(toAddress(connection), toReason(lastNodeError));
  }

  /** Not by `disconnect`, which says goodbye and waits for two seconds. */
  function cut(connection: RedisConnection): void {
    outages.begin(toAddress(connection), "no answer");
    connection.stream?.destroy();
  }
}

/** Where a connection goes, without user and password. */
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

/** Also of clients that came as driver objects. */
const ownOptions = { commandTimeout: undefined, autoResendUnfulfilledCommands: false };

/** Milliseconds. */
const heartbeatInterval = 5000;

function connectionsOf(client: RedisClient): readonly RedisConnection[] {
  return client.isCluster ? (client.nodes?.("all") ?? []) : [client];
}

/** The forms that ioredis takes: a port, an address with or without `redis://user:password@`, or an object. */
function toNodeAddress(node: unknown, standard: number): string {
  if (typeof node === "object" && node !== null) {
    const { host = "localhost", port = standard } = node as { host?: string; port?: number };
    return `${host}:${port}`;
  }
  const text = String(node);
  if (/^\d+$/.test(text)) return `localhost:${text}`;
  const address = text.includes("//") ? text : `redis://${text}`;
  if (!URL.canParse(address)) return "an address that cannot be read";
  const { hostname, port } = new URL(address);
  return `${hostname}:${port || standard}`;
}

import type { ClusterOptions, Redis, RedisOptions } from "ioredis";
import { systemClock } from "../clock.ts";
import type { LoopTimer, Timed } from "../documents/loop-timer.ts";
import type { Logger } from "../../shared/log.ts";
import type { RedisClient } from "./redis-client.ts";
import { retryForever } from "./retry-forever.ts";

/**
 * Ends connections that don't reply within the time limit, also those that die silently (no FIN, no RST), and logs each
 * outage once. Its timer replaces `commandTimeout`, which would reject replies that have arrived.
 * @param onClose called when a connection has ended: its commands are lost
 */
export function watchConnections(
  client: RedisClient,
  outages: ReturnType<typeof createRedisOutages>,
  timer: LoopTimer,
  onClose: () => void,
) {
  const probing = new Set<Redis>();
  Object.assign(client.options ?? {}, ownOptions);
  retryForever(client);
  if (client.isCluster) client.on("+node", watch);
  for (const connection of connectionsOf(client)) watch(connection);
  if (client.isCluster) client.on("error", (error) => fail(client, error));
  // Ping idle connections, too: otherwise the first call after a quiet night fails on a broken connection.
  const heartbeat = systemClock.setInterval(probe, heartbeatInterval).unref();
  return { probe, close: () => heartbeat.cancel() };

  /** Pings each connection, and ends those that don't reply; the client then opens new ones. */
  function probe(): void {
    for (const connection of connectionsOf(client)) {
      if (connection.status === "ready" && !probing.has(connection)) ping(connection);
    }
  }

  function ping(connection: Redis): void {
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

  function watch(connection: Redis): void {
    let handshake: Timed | undefined;
    const endHandshake = () => {
      if (handshake !== undefined) timer.end(handshake);
    };
    const { options } = connection;
    Object.assign(options ?? {}, ownOptions);
    if (options?.enableReadyCheck === false) Object.assign(options, withoutFirstCommands);
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

  function fail(connection: Redis, error: Error): void {
    // If a cluster reaches none of its nodes, the error of the last node has the reason.
    const { lastNodeError = error } = error as Error & { readonly lastNodeError?: Error };
    outages.begin(toAddress(connection), toReason(lastNodeError));
  }

  /** Destroys the socket, because `disconnect` waits for two seconds. */
  function cut(connection: Redis): void {
    outages.begin(toAddress(connection), "no response");
    connection.stream?.destroy();
  }
}

/** Logs a warning if the options of a cluster send reads to replicas: {@link watchConnections} changes that. */
export function warnOfReplicas({ isCluster, options }: RedisClient, log: Logger): void {
  const { scaleReads = "master" } = (options ?? {}) as Pick<ClusterOptions, "scaleReads">;
  if (!isCluster || scaleReads === "master") return;
  log.warn(
    "The option scaleReads has no effect, because a late replica would show ended sessions: all reads go to the primaries of the Redis Cluster. Remove the option",
  );
}

/** Logs each outage of a Redis once, and its end once, per address. */
export function createRedisOutages(log: Logger) {
  const down = new Map<string, string>();
  return {
    /** @param reason the error code of Redis or the connection, without a secret */
    begin(address: string, reason: string): void {
      if (down.has(address)) return;
      down.set(address, reason);
      const message = `Redis at ${address} cannot be used; calls that need it get 503 until it is back`;
      log.error(message, { reason });
    },

    /** The last outage that has not ended, for example `ECONNREFUSED at localhost:6379`. */
    last(): string | undefined {
      const [address, reason] = [...down].at(-1) ?? [];
      return address && `${reason} at ${address}`;
    },

    end(address: string): void {
      if (down.delete(address)) log.info(`Redis at ${address} is back`);
    },
  };
}

/** The code in an error of ioredis, for example `ECONNREFUSED` or `NOAUTH`: the rest can contain a secret. */
export function toReason(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  return /\b[A-Z]{4,}\b/.exec(error.message)?.[0] ?? error.name;
}

/** The address of a client, or of one connection of a cluster, without user and password. */
export function toAddress(client: object): string {
  const { options = {}, startupNodes } = client as {
    readonly options?: RedisOptions;
    readonly startupNodes?: readonly unknown[];
  };
  const { path, host = "localhost", port = 6379, sentinels, name } = options;
  const nodes = sentinels ?? startupNodes;
  if (nodes?.length) {
    const standard = sentinels?.length ? 26379 : 6379;
    const addresses = nodes.map((node) => toNodeAddress(node, standard)).join(", ");
    return name ? `the master "${name}" of ${addresses}` : addresses;
  }
  return path ?? `${host}:${port}`;
}

/**
 * Reads a node in the forms that ioredis accepts: a port, an address with or without `redis://user:password@`, or an
 * object. An address without a host is the path of a socket.
 * @returns `undefined` if the address can't be read
 */
export function readNode(node: unknown) {
  if (typeof node === "object" && node !== null) {
    const { host = "localhost", port, tls, password } = node as RedisOptions;
    return { host, port, hasTls: Boolean(tls), hasPassword: Boolean(password) };
  }
  const text = /^\d+$/.test(String(node)) ? `localhost:${node}` : String(node);
  const address = text.includes("//") ? text : `redis://${text}`;
  if (!URL.canParse(address)) return undefined;
  const { hostname, port, password, protocol } = new URL(address);
  const host = hostname || "localhost";
  return { host, port, hasTls: protocol === "rediss:", hasPassword: password !== "" };
}

// --- Internal helpers ---

/**
 * Applies to clients of driver objects, too. Auto-pipelining never sends again after a connection was lost with its
 * commands, and commands of one tick travel together without it. A replica can be late, and then shows an ended session.
 */
const ownOptions = {
  commandTimeout: undefined,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  scaleReads: "master",
};

/**
 * Without its ready check, ioredis (5.9) counts as ready when its first commands on an earlier connection fail, and then
 * never connects again. So it must not send any.
 */
const withoutFirstCommands = { connectionName: undefined, disableClientInfo: true };

/** Whether Redis rejected the database that the connection is to use. */
function isSelect(error: Error): boolean {
  const { command } = error as { readonly command?: { readonly name?: unknown } };
  return command?.name === "select";
}

/** Milliseconds. */
const heartbeatInterval = 5000;

function connectionsOf(client: RedisClient): readonly Redis[] {
  return client.isCluster ? (client.nodes?.("all") ?? []) : [client];
}

function toNodeAddress(node: unknown, standardPort: number): string {
  const read = readNode(node);
  if (read === undefined) return "an unreadable address";
  return `${read.host}:${read.port || standardPort}`;
}

import type { ChangeListener } from "./changes.ts";
import type { RemoteFeed } from "./backend.ts";
import type { Logger } from "./log.ts";
import type { RedisClient } from "./redis-client.ts";

/** The functions of an ioredis client that a feed uses. */
interface FeedClient {
  client(command: "ID"): Promise<number>;
  client(...command: string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: "messageBuffer", listener: (channel: Buffer, keys: unknown) => void): unknown;
  on(event: "ready" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  ping(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
}

/**
 * Has Redis push the keys that change (server-assisted client side caching, broadcasting mode), over a
 * connection of its own. The tracking ends with the connection, and a silent connection is ended.
 *
 * @param data a client of one server, with `duplicate`
 */
export function openRedisFeed(
  data: RedisClient,
  prefix: string,
  tell: ChangeListener,
  log: Logger,
): RemoteFeed {
  const { commandTimeout = 1000 } = data.options ?? {};
  const client = data.duplicate?.({ autoResubscribe: false, commandTimeout }) as FeedClient;
  let isUp = false;
  client.on("error", () => {});
  client.on("ready", () => void track().catch(giveUpOrReconnect));
  client.on("close", () => {
    isUp = false;
  });
  client.on("messageBuffer", (_, keys) => {
    if (!Array.isArray(keys)) tell(undefined);
    else for (const key of keys) tell(String(key));
  });
  const heartbeat = setInterval(() => {
    if (isUp) void client.ping().catch(() => client.disconnect(true));
  }, heartbeatInterval);
  heartbeat.unref();
  return {
    isUp: () => isUp,
    close() {
      clearInterval(heartbeat);
      client.disconnect();
    },
  };

  /** What Redis refuses once it refuses again: a user without the right, a service without the command. */
  function giveUpOrReconnect(error: unknown): void {
    const isRefused = error instanceof Error && error.name === "ReplyError";
    if (isRefused) {
      const [reason] = error.message.split(" ", 1);
      log.warn("Redis does not tell of changes, so sessions are not cached", { reason });
    }
    client.disconnect(!isRefused);
  }

  async function track(): Promise<void> {
    const id = await client.client("ID");
    await client.client("TRACKING", "ON", "REDIRECT", String(id), "BCAST", "PREFIX", prefix);
    await client.subscribe("__redis__:invalidate");
    // What changed while nobody listened is not known.
    tell(undefined);
    isUp = true;
  }
}

// --- Internal helpers ---

/** Milliseconds between two signs of life; each has the client's own time limit. */
const heartbeatInterval = 5000;

import { systemClock } from "../clock.ts";
import type { RemoteFeed } from "../documents/adapter.ts";
import type { Logger } from "../../shared/log.ts";
import type { RedisClient } from "./redis-client.ts";

/**
 * Makes Redis push changed keys over a separate connection (client-side caching, broadcasting mode). The feed is up
 * only if Redis has replied to a ping of the last second. So this server soon notices a silent connection.
 * @param data a client of one server, with `duplicate`
 * @param prefix of the keys in Redis
 * @param emit gets each changed key, or none if any may have changed
 */
export function openRedisFeed(
  data: RedisClient,
  log: Logger,
  prefix: string,
  emit: (key?: string) => void,
): RemoteFeed {
  const client = data.duplicate(feedOptions);
  let isTracking = false;
  /** When the last ping with a reply was sent: this process has read everything that Redis pushed before that. */
  let provenAt = 0;
  let unanswered = 0;
  client.on("error", () => {});
  client.on("connect", () => {
    unanswered = 0;
  });
  client.on("ready", () => void track().catch(giveUpOrReconnect));
  client.on("close", () => {
    isTracking = false;
  });
  client.on("messageBuffer", (_, changed: unknown) => {
    if (!Array.isArray(changed)) emit();
    else for (const key of changed) emit(String(key));
  });
  // From now on, the data can come from another server.
  data.on("close", () => {
    isTracking = false;
    client.stream?.destroy();
  });
  const heartbeat = systemClock.setInterval(beat, heartbeatInterval).unref();
  return {
    isUp: () => isTracking && Math.abs(systemClock.now() - provenAt) < longestSilence,
    close() {
      heartbeat.cancel();
      client.disconnect();
    },
  };

  function beat(): void {
    if (client.status !== "ready" && client.status !== "connect") return;
    // Count pings instead of time, because a method that holds the event loop also delays the replies.
    if (unanswered >= maxUnanswered) client.stream?.destroy();
    else if (isTracking) void ping().catch(giveUpIfRefused);
    else unanswered++;
  }

  async function ping(): Promise<void> {
    const sentAt = systemClock.now();
    unanswered++;
    await client.ping();
    unanswered = 0;
    provenAt = sentAt;
  }

  /** Missing permissions and missing commands are permanent; a busy or loading server is not. */
  function giveUpIfRefused(error: unknown): boolean {
    const [reason] = (error instanceof Error && /^(?:NOPERM|ERR)\b/.exec(error.message)) || [];
    if (reason === undefined) return false;
    if (!refused.has(data))
      log.warn("Redis can't push changes, so sessions are not cached", { reason });
    refused.add(data);
    isTracking = false;
    client.disconnect();
    return true;
  }

  function giveUpOrReconnect(error: unknown): void {
    if (!giveUpIfRefused(error)) client.disconnect(true);
  }

  async function track(): Promise<void> {
    const id = await client.client("ID");
    await client.client("TRACKING", "ON", "REDIRECT", id, "PREFIX", prefix, "BCAST");
    await client.subscribe("__redis__:invalidate");
    // Changes before this connection were not pushed.
    emit();
    await ping();
    isTracking = true;
  }
}

// --- Internal helpers ---

/** The clients whose Redis has rejected a feed, which is logged once for all feeds. */
const refused = new WeakSet<RedisClient>();

/** The feed's own time limits replace `commandTimeout`, and its channel has no prefix. */
const feedOptions = {
  autoResubscribe: false,
  commandTimeout: undefined,
  keyPrefix: "",
  lazyConnect: false,
};

/** The longest time without a reply, in milliseconds, before the feed counts as down. */
const longestSilence = 1000;

/** Milliseconds between pings; several fit into the longest silence, so one late reply does no harm. */
const heartbeatInterval = 250;

/** The number of pings in a row without a reply that ends the connection. */
const maxUnanswered = 6;

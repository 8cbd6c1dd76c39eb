import type { RedisClient } from "./redis-client.ts";

/**
 * Makes a client connect again, however long Redis is down. ioredis closes a client for good if its strategy returns no
 * number, as the common `retryStrategy: (times) => (times > 5 ? null : 200)` does.
 */
export function retryForever({ isCluster, options }: RedisClient): void {
  // A strategy returns the milliseconds until the next attempt. That of a cluster can change `this.startupNodes`.
  const strategies = (options ?? {}) as Record<
    string,
    ((this: unknown, ...args: unknown[]) => unknown) | null | undefined
  >;
  for (const name of isCluster ? ofClusters : ofServers) {
    const given = strategies[name];
    strategies[name] = function (...args) {
      const delay = typeof given === "function" ? given.apply(this, args) : undefined;
      return typeof delay === "number" ? delay : pause;
    };
  }
}

// --- Internal helpers ---

const ofServers = ["retryStrategy", "sentinelRetryStrategy"];
const ofClusters = ["clusterRetryStrategy"];

/** Milliseconds between two attempts after the strategy has given up. */
const pause = 2000;

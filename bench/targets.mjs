import { startRedis } from "./redis.mjs";
import { cli, startServer } from "./server.mjs";

/** All that is measured, by name. `lean`: as little as its documented settings allow. */
export const targets = {
  h3: { label: "h3 v2, bare", script: "bare/h3.mjs", storage: "none" },
  "node-http": { label: "node:http, bare", script: "bare/node-http.mjs", storage: "none" },
  "h3-v1": { label: "h3 v1, bare", script: "peers/h3-v1.mjs", storage: "none" },
  "ours-memory": { label: "Storefront Core, memory", storage: "memory" },
  "ours-redis-cold": {
    label: "Storefront Core, Redis, no cache",
    storage: "redis",
    env: { BENCH_CACHE: "off" },
  },
  "ours-redis-warm": { label: "Storefront Core, Redis", storage: "redis" },
  ...peer("express", "express-session", "peers/express-session.mjs", ["memory", "redis"]),
  ...peer("fastify", "@fastify/session", "peers/fastify-session.mjs", ["memory", "redis"]),
  "scayle-memory": {
    label: "@scayle/h3-session, memory",
    script: "peers/scayle-h3-session.mjs",
    storage: "memory",
    isPeer: true,
  },
  "scayle-redis": {
    label: "@scayle/h3-session, Redis",
    script: "peers/scayle-h3-session.mjs",
    storage: "redis",
    isPeer: true,
  },
  ...peer("hono", "hono-sessions", "peers/hono-sessions.mjs", ["memory"]),
  iron: {
    label: "iron-session, in the cookie",
    script: "peers/iron-session.mjs",
    storage: "cookie",
    isPeer: true,
  },
};

/**
 * Starts what is measured, with a Redis of its own where it needs one.
 * @param processes how many servers, all on one storage
 */
export async function openTarget(name, { transport = "cookie", processes = 1 } = {}) {
  const { script, storage, env } = targets[name];
  const redis = storage === "redis" ? await startRedis() : undefined;
  const args = script === undefined ? oursWith("storefront.config.mjs") : [script];
  const settings = { BENCH_TRANSPORT: transport, BENCH_REDIS_URL: redis?.url ?? "", ...env };
  const starts = Array.from({ length: processes }, () => startServer(args, { env: settings }));
  const servers = await Promise.all(starts);
  return {
    name,
    servers,
    redis,
    transport,
    async close() {
      await Promise.all(servers.map((server) => server.stop()));
      await redis?.stop();
    },
  };
}

/** How `node` is to start our server, as users do. */
export function oursWith(config) {
  return [cli, "start", "--config", config, "--port", "0"];
}

// --- Internal helpers ---

/** A peer on its storages, as its README has it and as lean as it can be. */
function peer(name, label, script, storages) {
  const spelled = { memory: "memory", redis: "Redis" };
  const entries = storages.flatMap((storage) => {
    const shared = { script, storage, isPeer: true };
    return [
      [`${name}-${storage}`, { ...shared, label: `${label}, ${spelled[storage]}` }],
      [
        `${name}-${storage}-lean`,
        {
          ...shared,
          label: `${label}, ${spelled[storage]}, lean`,
          isLean: true,
          env: { BENCH_LEAN: "on" },
        },
      ],
    ];
  });
  return Object.fromEntries(entries);
}

import { startRedis } from "./redis.mjs";
import { cli, startServer } from "./server.mjs";

/** Every row is compared with these two, so they are in every table of calls. */
export const references = ["node-http", "h3"];

/** Servers without sessions can't see whether a visitor is a guest, so they have a method for guests. */
const bare = { storage: "none", methods: { guest: "getNobody" } };
const batched = { ...bare, env: { BENCH_BATCHING: "on" } };

/**
 * The measured servers, by name.
 * `kinds`: the kinds of calls to measure, if not all. `methods`: methods that replace those of `calls`, by kind.
 */
export const targets = {
  "node-http": { ...bare, label: "node:http without batching", script: "bare/node-http.mjs" },
  "node-http-batched": {
    ...batched,
    label: "node:http with the same batching",
    script: "bare/node-http.mjs",
  },
  h3: { ...bare, label: "h3 without batching", script: "bare/h3.mjs" },
  "h3-batched": { ...batched, label: "h3 with the same batching", script: "bare/h3.mjs" },
  "h3-v1": { ...bare, label: "h3 v1 without batching", script: "peers/h3-v1.mjs" },
  "ours-memory": { label: "Storefront Core, memory", storage: "memory" },
  "ours-method": {
    label: "Storefront Core, memory, a custom method",
    storage: "memory",
    kinds: ["read"],
    methods: { read: "showUser" },
  },
  ...observed("metrics", "with metrics"),
  ...observed("tracing", "with OpenTelemetry without an SDK"),
  ...observed("lines", "with a log line for each call"),
  "ours-h3-app": {
    label: "Storefront Core, memory, h3 app without batching",
    script: "h3-app.mjs",
    storage: "memory",
  },
  "ours-redis-cold": {
    label: "Storefront Core, Redis, no cache",
    storage: "redis",
    env: { BENCH_CACHE: "off" },
  },
  "ours-redis-warm": { label: "Storefront Core, Redis", storage: "redis" },
  ...peer("express", "express-session", "express-session.mjs", ["memory", "redis"], [false, true]),
  ...peer("fastify", "@fastify/session", "fastify-session.mjs", ["memory", "redis"], [false, true]),
  ...peer("scayle", "@scayle/h3-session", "scayle-h3-session.mjs", ["memory", "redis"]),
  ...peer("hono", "hono-sessions", "hono-sessions.mjs", ["memory"], [false, true]),
  ...peer("iron", "iron-session", "iron-session.mjs", ["cookie"]),
};

/**
 * Starts a target, with a Redis of its own if it needs one.
 * A single server has a core to itself. The load and Redis use another one.
 * @param processes number of servers, all on one storage
 */
export async function openTarget(name, { transport = "cookie", processes = 1 } = {}) {
  const { script, storage, env: own } = targets[name];
  const redis = storage === "redis" ? await startRedis() : undefined;
  const args = script === undefined ? oursWith("storefront.config.mjs") : [script];
  const env = { BENCH_TRANSPORT: transport, BENCH_REDIS_URL: redis?.url ?? "", ...own };
  const isPinned = processes === 1;
  const starts = Array.from({ length: processes }, () => startServer(args, { env, isPinned }));
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

/** The arguments with which `node` starts our server, as users start it. */
export function oursWith(config) {
  return [cli, "start", "--config", config, "--port", "0"];
}

// --- Internal helpers ---

/** Our server with telemetry. */
function observed(telemetry, label) {
  const target = {
    label: `Storefront Core, memory, ${label}`,
    storage: "memory",
    kinds: ["read"],
    env: { BENCH_TELEMETRY: telemetry },
  };
  return { [`ours-${telemetry}`]: target };
}

/** A peer on each storage: as its README shows it, and with the least work that its settings allow. */
function peer(name, label, script, storages, leans = [false]) {
  const spelled = { memory: "memory", redis: "Redis", cookie: "in the cookie" };
  const variants = storages.flatMap((storage) => leans.map((isLean) => ({ storage, isLean })));
  const entries = variants.map(({ storage, isLean }) => [
    `${name}-${storage}${isLean ? "-lean" : ""}`,
    {
      label: `${label}, ${spelled[storage]}${isLean ? ", lean" : ""}`,
      script: `peers/${script}`,
      storage,
      isPeer: true,
      kinds: ["read", "write", "guest"],
      env: { BENCH_LEAN: isLean ? "on" : "off" },
    },
  ]);
  return Object.fromEntries(entries);
}

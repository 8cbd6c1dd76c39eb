import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, test } from "vitest";

/** An empty Redis server on a free port. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Kills the server; its data is lost. */
  stop(): Promise<void>;
  /** Suspends the server: connections stay open, without responses. */
  pause(): void;
  resume(): void;
}

/** Whether a Redis server can be started here. */
export const redisAvailable = spawnSync("redis-server", ["--version"]).status === 0;

/** `describe` for tests that need Redis. Without it, the tests fail in CI and are skipped elsewhere. */
export function describeWithRedis(name: string, body: () => void): void {
  if (redisAvailable) {
    describe(name, body);
  } else if (process.env["CI"]) {
    describe(name, () => {
      test("needs redis-server", () => {
        throw new Error(`"${name}" needs redis-server, which is not installed; ${howToInstall}`);
      });
    });
  } else {
    // _global.ts prints the skipped tests, once for all files.
    describe.skip(name, body);
  }
}

/** Starts a Redis, on the given port or on any free one. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? randomPort();
    const server = await launch(port, options.args ?? []);
    if (server !== undefined) return server;
    if (attempt === maxAttempts) throw new Error(`redis-server did not start on port ${port}`);
  }
}

/** A Redis for the tests of one `describe`. */
export function useRedis(): () => TestRedis {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  return () => redis;
}

/** Starts a Redis Cluster of three nodes. */
export async function startRedisCluster(): Promise<{
  nodes: { host: string; port: number }[];
  /** Suspends a node: connections stay open, without responses. */
  pause(node: number): void;
  resume(node: number): void;
  stop(): Promise<void>;
}> {
  const servers = await Promise.all(
    [0, 1, 2].map(() => startRedis({ args: ["--cluster-enabled", "yes"] })),
  );
  const clients = servers.map(({ port }) => new Redis({ port, host }));
  await Promise.all(
    clients.map(async (client, node) => {
      const first = Math.ceil((slots * node) / 3);
      const last = Math.ceil((slots * (node + 1)) / 3) - 1;
      await client.call("CLUSTER", "ADDSLOTSRANGE", first, last);
      await client.call("CLUSTER", "MEET", host, String(servers[0]?.port));
    }),
  );
  await Promise.all(clients.map(waitUntilJoined));
  for (const client of clients) client.disconnect();
  return {
    nodes: servers.map(({ port }) => ({ host, port })),
    pause: (node) => servers[node]?.pause(),
    resume: (node) => servers[node]?.resume(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

// --- Internal helpers ---

interface RedisOptions {
  readonly port?: number;
  readonly args?: readonly string[];
}

const howToInstall = "get it with: apt-get install redis-server";
const host = "127.0.0.1";
const slots = 16_384;
const maxAttempts = 20;

/** A port below the ephemeral ports, and low enough for the cluster bus at +10,000. */
function randomPort(): number {
  return 20_000 + Math.floor(Math.random() * 10_000);
}

/** @returns `undefined` if the server exits immediately because the port is in use */
async function launch(port: number, args: readonly string[]): Promise<TestRedis | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "storefront-redis-"));
  const fixed = ["--port", String(port), "--bind", host, "--dir", directory];
  const server = spawn("redis-server", [...fixed, "--save", "", "--appendonly", "no", ...args], {
    stdio: "ignore",
  });
  const exited = once(server, "exit");
  const kill = () => server.kill("SIGKILL");
  process.once("exit", kill);
  if (!(await isReady(port, server.pid, exited))) {
    await stop();
    return undefined;
  }
  return {
    url: `redis://${host}:${port}`,
    port,
    stop,
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
  };

  async function stop(): Promise<void> {
    process.off("exit", kill);
    kill();
    await exited;
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whether this server responds, and not another one on the same port. */
async function isReady(
  port: number,
  pid: number | undefined,
  exited: Promise<unknown>,
): Promise<boolean> {
  const client = new Redis({ port, host, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  try {
    const isOurs = client.info("server").then((info) => info.includes(`process_id:${pid}\r`));
    const ended = exited.then(() => false);
    return await Promise.race([isOurs, ended, sleep(10_000, false, { ref: false })]);
  } finally {
    client.disconnect();
  }
}

async function waitUntilJoined(client: Redis): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const info = String(await client.call("CLUSTER", "INFO"));
    if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) return;
    await sleep(20);
  }
  throw new Error("The Redis Cluster did not form");
}

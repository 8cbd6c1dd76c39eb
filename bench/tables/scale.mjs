import { logIn, logInOnce, send, toLoad } from "../calls.mjs";
import { toCount, toTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { fillRedis } from "../others.mjs";
import { startRedis } from "../redis.mjs";
import { compare, connections, measureInTurns, median, summarize } from "../rounds.mjs";
import { startServer } from "../server.mjs";
import { runLoad } from "../load.mjs";
import { oursWith } from "../targets.mjs";
import { measureBoot } from "../boot.mjs";

export const title = "Scale";

/** The same calls with 1,000 other sessions and with a million, all in the same rounds. */
export async function measure(options) {
  const sizes = options.quick ? [1000, 100_000] : [1000, 100_000, 1_000_000];
  const rows = [];
  for (const storage of ["memory", "redis"]) {
    const selected = isSelected(`size/${storage}`, options)
      ? await measureSizes(storage, sizes, options)
      : [];
    rows.push(...selected);
    const expiry = `expiry/${storage}`;
    if (!options.quick && isSelected(expiry, options))
      rows.push(await measureExpiry(storage, expiry));
  }
  return rows;
}

export function toMarkdown(rows) {
  const sizes = rows.filter(({ row }) => row.startsWith("size/"));
  const expiries = rows.filter(({ row }) => row.startsWith("expiry/"));
  const least = Math.min(...sizes.map(({ size }) => size));
  const head = [
    "row",
    "sessions of others",
    "read, CPU µs",
    `against ${toCount(least)}`,
    "end a user's 10 sessions, ms",
    `against ${toCount(least)}`,
    "boot, ms",
    "bytes per session",
    "and its user's index",
  ];
  const lines = sizes.map(({ row, size, read, readRatio, end, endRatio, boot, bytes }) => [
    `\`${row}\``,
    toCount(size),
    read.cpu.toFixed(1),
    `${readRatio.median.toFixed(2)} ×`,
    end.toFixed(2),
    `${endRatio.toFixed(2)} ×`,
    boot === undefined ? "as empty" : boot.toFixed(0),
    toCount(bytes.sessions),
    toCount(bytes.users),
  ]);
  const waves = expiries.map(({ row, before, during }) => [
    `\`${row}\``,
    before.toFixed(2),
    during.toFixed(2),
    `${(during / before).toFixed(2)} ×`,
  ]);
  return `Each other session belongs to a different user of 600 bytes with an index. Bytes are bytes of the heap after a garbage collection,
or of the memory of Redis. \`destroySessionsForUserId\` ends the sessions, and the server measures its time. Sessions in memory end
with the process, so they don't change the time of a boot.

${toTable([head, ...lines])}

Reads of other sessions while 200,000 sessions expire, with ${connections} connections (not measured with \`--quick\`):

${toTable([["row", "p99 ms before", "p99 ms during", ""], ...waves])}`;
}

// --- Internal helpers ---

const flags = ["--expose-gc", "--max-old-space-size=8192"];

async function open(storage) {
  const redis = storage === "redis" ? await startRedis() : undefined;
  const env = { BENCH_REDIS_URL: redis?.url ?? "" };
  const server = await startServer([...flags, ...oursWith("scale.config.mjs")], { env });
  return {
    redis,
    server,
    env,
    async close() {
      await server.stop();
      await redis?.stop();
    },
  };
}

/** Adds documents of other users. @returns bytes per document */
async function fill({ redis, server }, kind, count, expiresAt) {
  const before = await readMemory({ redis, server });
  if (redis) await fillRedis(redis.client, kind, count, expiresAt);
  else await callMethod(server, "fill", { kind, count, expiresAt });
  return ((await readMemory({ redis, server })) - before) / count;
}

async function readMemory({ redis, server }) {
  if (redis === undefined) return callMethod(server, "readHeap");
  return Number(/used_memory:(\d+)/.exec(await redis.client.info("memory"))[1]);
}

async function callMethod({ origin }, method, payload) {
  return (await send(origin, `/api/rpc/${method}`, JSON.stringify({ payload }))).json();
}

async function measureSizes(storage, sizes, options) {
  const instances = [];
  try {
    for (const size of sizes) instances.push({ size, ...(await open(storage)) });
    for (const instance of instances) {
      const sessions = await fill(instance, "sessions", instance.size);
      instance.bytes = { sessions, users: await fill(instance, "users", instance.size) };
    }
    const turns = [];
    for (const { server } of instances) {
      const load = toLoad("read", {}, await logIn(server.origin, visitorCount));
      turns.push({ servers: [server], load });
    }
    const reads = await measureInTurns(turns, options);
    const ends = await measureEnds(instances, options);
    const boots = storage === "redis" ? await measureBoots(instances, options) : [];
    return instances.map(({ size, bytes }, at) => ({
      row: `size/${storage}/${size}`,
      size,
      bytes,
      read: summarize(reads[at]),
      readRatio: compare(reads[at], reads[0], "cpu"),
      end: median(ends[at]),
      endRatio: median(ends[at].map((end, round) => end / ends[0][round])),
      boot: boots[at] && median(boots[at]),
    }));
  } finally {
    await Promise.all(instances.map((instance) => instance.close()));
  }
}

const visitorCount = 640;
const sessionsPerUser = 10;

/** Milliseconds to end all sessions of a user, measured in turns on all servers. */
async function measureEnds(instances, { quick }) {
  const ends = instances.map(() => []);
  for (let round = 0; round < (quick ? 20 : 60); round++) {
    for (const [at, { server }] of instances.entries()) {
      const userId = `many-${round}`;
      for (let login = 0; login < sessionsPerUser; login++) await logInOnce(server.origin, userId);
      const { ended, milliseconds } = await callMethod(server, "endAll", { userId });
      if (ended !== sessionsPerUser) throw new Error(`${ended} of ${sessionsPerUser} were ended`);
      ends[at].push(milliseconds);
    }
  }
  return ends;
}

async function measureBoots(instances, { quick }) {
  const boots = instances.map(() => []);
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    for (const [at, { env }] of instances.entries()) {
      boots[at].push(await measureBoot(oursWith("storefront.config.mjs"), { env }));
    }
  }
  return boots;
}

/** In memory, the removal of expired sessions starts within ten seconds of their end; in Redis, immediately. */
async function measureExpiry(storage, row) {
  const instance = await open(storage);
  try {
    const { origin } = instance.server;
    const load = toLoad("read", {}, await logIn(origin, visitorCount));
    await runLoad(origin, load, { seconds: 3, connections });
    const expiresAt = Date.now() + 60_000;
    await fill(instance, "sessions", 200_000, expiresAt);
    const left = () => (expiresAt - Date.now()) / 1000;
    const seconds = Math.min(20, Math.max(5, Math.floor(left()) - 2));
    const before = await runLoad(origin, load, { seconds, connections });
    await new Promise((resolve) => setTimeout(resolve, left() * 1000));
    const during = await runLoad(origin, load, { seconds: 30, connections });
    return { row, before: before.p99, during: during.p99, errors: before.errors + during.errors };
  } finally {
    await instance.close();
  }
}

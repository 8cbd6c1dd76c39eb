import { logIn, logInOnce, send, toLoad } from "../calls.mjs";
import { toCount, toTable } from "../markdown.mjs";
import { isAsked } from "../options.mjs";
import { fillRedis } from "../others.mjs";
import { startRedis } from "../redis.mjs";
import { compare, connections, measureInTurns, median, summarize } from "../rounds.mjs";
import { startServer } from "../server.mjs";
import { runLoad } from "../load.mjs";
import { oursWith } from "../targets.mjs";
import { measureBoot } from "../boot.mjs";

export const title = "Scale";

/** The same among a thousand sessions of others and among a million; all sizes in the same rounds. */
export async function measure(options) {
  const sizes = options.quick ? [1000, 100_000] : [1000, 100_000, 1_000_000];
  const rows = [];
  for (const storage of ["memory", "redis"]) {
    const asked = isAsked(`size/${storage}`, options)
      ? await measureSizes(storage, sizes, options)
      : [];
    rows.push(...asked);
    const expiry = `expiry/${storage}`;
    if (!options.quick && isAsked(expiry, options)) rows.push(await measureExpiry(storage, expiry));
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
    "read, processor µs",
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
  return `Every other session is a user's of 600 bytes of their own, with its index. Bytes are of the heap, after it was cleaned, or
of Redis' memory. Sessions are ended by \`destroySessionsForUserId\`, timed within the server. What is kept in memory ends with
its process, so that boot knows of no others.

${toTable([head, ...lines])}

While 200,000 sessions expire, reads of others, at ${connections} connections (left out by \`--quick\`):

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

/** Adds documents of others. @returns how many bytes each takes */
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
  const places = [];
  try {
    for (const size of sizes) places.push({ size, ...(await open(storage)) });
    for (const place of places) {
      const sessions = await fill(place, "sessions", place.size);
      place.bytes = { sessions, users: await fill(place, "users", place.size) };
    }
    const turns = [];
    for (const { server } of places) {
      const load = toLoad("read", {}, await logIn(server.origin, visitorCount));
      turns.push({ servers: [server], load });
    }
    const reads = await measureInTurns(turns, options);
    const ends = await measureEnds(places, options);
    const boots = storage === "redis" ? await measureBoots(places, options) : [];
    return places.map(({ size, bytes }, at) => ({
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
    await Promise.all(places.map((place) => place.close()));
  }
}

const visitorCount = 640;
const sessionsPerUser = 10;

/** Milliseconds that it takes to end all sessions of a user, again and again, in turns. */
async function measureEnds(places, { quick }) {
  const ends = places.map(() => []);
  for (let round = 0; round < (quick ? 20 : 60); round++) {
    for (const [at, { server }] of places.entries()) {
      const userId = `many-${round}`;
      for (let login = 0; login < sessionsPerUser; login++) await logInOnce(server.origin, userId);
      const { ended, milliseconds } = await callMethod(server, "endAll", { userId });
      if (ended !== sessionsPerUser) throw new Error(`${ended} of ${sessionsPerUser} were ended`);
      ends[at].push(milliseconds);
    }
  }
  return ends;
}

async function measureBoots(places, { quick }) {
  const boots = places.map(() => []);
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    for (const [at, { env }] of places.entries()) {
      boots[at].push(await measureBoot(oursWith("storefront.config.mjs"), { env }));
    }
  }
  return boots;
}

/** In memory, sessions are swept within ten seconds of their end and from then on; Redis begins at once. */
async function measureExpiry(storage, row) {
  const place = await open(storage);
  try {
    const { origin } = place.server;
    const load = toLoad("read", {}, await logIn(origin, visitorCount));
    await runLoad(origin, load, { seconds: 3, connections });
    const expiresAt = Date.now() + 60_000;
    await fill(place, "sessions", 200_000, expiresAt);
    const left = () => (expiresAt - Date.now()) / 1000;
    const seconds = Math.min(20, Math.max(5, Math.floor(left()) - 2));
    const before = await runLoad(origin, load, { seconds, connections });
    await new Promise((resolve) => setTimeout(resolve, left() * 1000));
    const during = await runLoad(origin, load, { seconds: 30, connections });
    return { row, before: before.p99, during: during.p99, errors: before.errors + during.errors };
  } finally {
    await place.close();
  }
}

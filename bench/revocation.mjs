/**
 * Measures how long a second server accepts a session after the first server ended it. Both have warm caches on one Redis.
 * Run after `npm run build`: node bench/revocation.mjs [rounds]
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { serve } from "h3";
import { Redis } from "ioredis";
import { createStorefront, defineRpcMethod } from "../dist/server/index.js";

const redisPort = 20_000 + Math.floor(Math.random() * 10_000);
const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  endAll: defineRpcMethod({
    handler: (_, { destroySessionsForUserId }) => destroySessionsForUserId(7),
  }),
};

async function startServer(url) {
  const app = createStorefront({
    shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }],
    session: { secret: "a secret that only this benchmark uses" },
    storage: { session: { driver: "redis", url } },
    methods,
  });
  const server = serve(app, {
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
    gracefulShutdown: false,
  });
  await server.ready();
  return new URL(server.url).origin;
}

async function call(origin, method, cookie) {
  const headers = { "content-type": "application/json", ...(cookie && { cookie }) };
  return fetch(`${origin}/api/rpc/${method}`, { method: "POST", headers, body: "{}" });
}

async function isLoggedIn(origin, cookie) {
  return (await (await call(origin, "getUser", cookie)).json()).user !== undefined;
}

let stale = 0;

/** Milliseconds from the response of server `a` to the first correct response of server `b`. */
async function measure(a, b) {
  const [cookie] = (await call(a, "enter")).headers.getSetCookie()[0].split(";");
  for (let reads = 0; reads < 3; reads++) await isLoggedIn(b, cookie);
  await call(a, "endAll", cookie);
  const endedAt = performance.now();
  while (await isLoggedIn(b, cookie)) stale++;
  return performance.now() - endedAt;
}

if (process.send) {
  process.send(await startServer(process.argv[2]));
} else {
  const rounds = Number(process.argv[2] ?? 1000);
  const redis = spawn("redis-server", ["--port", String(redisPort), "--save", ""]);
  const url = `redis://127.0.0.1:${redisPort}`;
  const probe = new Redis(url, { maxRetriesPerRequest: null });
  probe.on("error", () => {});
  await probe.ping();
  probe.disconnect();
  const child = fork(new URL(import.meta.url), [url]);
  const [b] = await once(child, "message");
  const a = await startServer(url);
  const delays = [];
  for (let round = 0; round < rounds; round++) delays.push(await measure(a, b));
  delays.sort((x, y) => x - y);
  const at = (share) => delays[Math.floor((delays.length - 1) * share)].toFixed(2);
  console.log(`${rounds} revocations: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
  console.log(`${stale} responses of the second server were outdated`);
  child.kill("SIGKILL");
  redis.kill();
  process.exit(0);
}

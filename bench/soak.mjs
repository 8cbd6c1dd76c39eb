/**
 * Lets visitors come and go for some minutes on one store after the other, and shows whether the memory stays flat.
 * Run after `npm run build`: node bench/soak.mjs [seconds] [memory|fs|redis …]
 */
import { fork } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "h3";
import { createStorefront } from "../dist/server/index.js";
import { startRedis } from "./redis.mjs";

const [, , seconds = "600", ...chosen] = process.argv;
const stores = chosen.length > 0 ? chosen : ["memory", "fs", "redis"];
/** The driver `fs` waits for the disk twice for each write and each removal. */
const visitsPerSecond = { memory: 20, fs: 4, redis: 20 };
/** Seconds until an abandoned session expires, so that the number of sessions is constant soon. */
const idle = 10;
const samples = 10;
const secret = "a secret that only this benchmark uses";

if (process.send) {
  await runServer(JSON.parse(process.env.SOAK_DRIVER));
} else {
  for (const store of stores) await soak(store);
}

async function soak(store) {
  const { driver, count, stop } = await openStore(store);
  const child = fork(new URL(import.meta.url), {
    execArgv: ["--expose-gc"],
    env: { ...process.env, SOAK_DRIVER: JSON.stringify(driver) },
  });
  const [origin] = await once(child, "message");
  const load = { isOver: false, calls: 0, failures: 0 };
  const visiting = visitUntilOver(origin, visitsPerSecond[store], load);
  // Lists of guests expire a minute after their sessions. From then on, the number of documents is constant.
  await sleep((idle + 100) * 1000);
  const rows = [];
  for (let sample = 0; sample <= samples; sample++) {
    child.send("measure");
    const [memory] = await once(child, "message");
    rows.push(Object.assign(memory, { documents: await count() }));
    if (sample < samples) await sleep((Number(seconds) * 1000) / samples);
  }
  load.isOver = true;
  await visiting;
  child.kill("SIGKILL");
  await stop();
  console.log(`${store}: ${load.calls} calls, ${load.failures} failures, samples in ${seconds} s`);
  for (const name of ["heap", "documents"]) {
    const values = rows.map((row) => row[name]).filter((value) => value !== undefined);
    if (values.length > 0) console.log(`  ${name}: ${values.join(" ")} (${describeTrend(values)})`);
  }
}

async function openStore(store) {
  if (store === "memory") return { driver: { driver: "memory" }, count() {}, stop() {} };
  if (store === "redis") {
    const redis = await startRedis();
    const driver = { driver: "redis", url: redis.url };
    return { driver, count: () => redis.client.dbsize(), stop: () => redis.stop() };
  }
  const base = mkdtempSync(join(tmpdir(), "storefront-soak-"));
  const count = () => readdirSync(base, { recursive: true }).length;
  return { driver: { driver: "fs", base }, count, stop: () => rmSync(base, { recursive: true }) };
}

async function runServer(driver) {
  const app = createStorefront(
    {
      shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }],
      session: {
        secret,
        guestIdleTimeout: idle,
        // Full before the first sample.
        cache: driver.driver !== "fs" && { max: 1000 },
      },
      storage: { session: driver, singleProcess: true },
      clientAddress: () => "127.0.0.1",
      log: { debug() {}, info() {}, warn: console.warn, error: console.error },
    },
    { production: false },
  );
  await app.ready();
  await fillSignatures(app);
  const server = serve(app, {
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
    gracefulShutdown: false,
    node: { keepAliveTimeout: 65_000 },
  });
  await server.ready();
  process.on("disconnect", () => process.exit());
  process.on("message", () => {
    globalThis.gc();
    process.send({ heap: (process.memoryUsage().heapUsed / 2 ** 20).toFixed(1) });
  });
  process.send(new URL(server.url).origin);
}

/** Fills the cache of verified signatures, which has room for some 22,000 cookies: otherwise the heap grows until it is full. */
async function fillSignatures(app) {
  for (let count = 0; count < 25_000; count++) {
    const id = randomUUID();
    const signature = createHmac("sha256", secret).update(id).digest("base64").replace("=", "");
    const cookie = `$session-1=${encodeURIComponent(`s:${id}.${signature}`)}`;
    const request = new Request("http://localhost/api/rpc/getUser", {
      method: "POST",
      headers: { "content-type": "application/json", cookie },
      body: "{}",
    });
    await app.fetch(request);
  }
}

/** Guests who fill a basket and a wishlist, and never come back. */
async function visitUntilOver(origin, rate, load) {
  const open = new Set();
  const start = performance.now();
  for (let visit = 0; !load.isOver; visit++) {
    const due = start + (visit * 1000) / rate;
    if (due > performance.now()) await sleep(due - performance.now());
    const visiting = goShopping(origin, load);
    open.add(visiting);
    visiting.finally(() => open.delete(visiting));
  }
  await Promise.all(open);
}

async function goShopping(origin, load) {
  let cookie = "";
  const call = async (method, payload) => {
    const response = await fetch(`${origin}/api/rpc/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie },
      body: JSON.stringify({ payload }),
    });
    await response.arrayBuffer();
    const [line] = response.headers.getSetCookie();
    if (line !== undefined) [cookie] = line.split(";");
    load.calls++;
    if (!response.ok) load.failures++;
  };
  try {
    await call("addItemToBasket", { variantId: 1, quantity: 1 });
    await call("getBasket");
    await call("addItemToWishlist", { variantId: 2 });
  } catch {
    load.failures++;
  }
}

/** Compares the last third of the values with the first one. */
function describeTrend(values) {
  const third = Math.ceil(values.length / 3);
  const growth = sumOf(values.slice(-third)) / sumOf(values.slice(0, third));
  return `the last third is ${growth.toFixed(2)} × the first`;
}

function sumOf(values) {
  return values.reduce((sum, value) => sum + Number(value), 0);
}

/**
 * Measures the latency of calls while many sessions expire in the same second, and the memory after that.
 * Run after `npm run build`: node bench/storm.mjs [sessions]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "h3";
import { createJiti } from "jiti";
import { createStorefront, defineRpcMethod } from "../dist/server/index.js";

// No entry of the package exports it.
const { systemClock } = await createJiti(import.meta.url, { fsCache: false }).import(
  "../storage/clock.ts",
);

const count = Number(process.argv[2] ?? 1_000_000);
/** Seconds from the last session to the end of all of them: the calm window. */
const idle = 40;
const callsPerSecond = 500;
const headers = { "content-type": "application/json" };

if (process.send) {
  await runServer();
} else {
  const child = fork(new URL(import.meta.url), [String(count)], { execArgv: ["--expose-gc"] });
  const [{ port, expiresAt, before }] = await once(child, "message");
  const calm = await load(port, expiresAt - 2000);
  await sleep(Math.max(0, expiresAt - Date.now()));
  const storm = await load(port, expiresAt + 30_000);
  child.send("heap");
  const [{ sessions, after }] = await once(child, "message");
  console.log(`${count} sessions expire within a second; ${callsPerSecond} calls per second`);
  console.log(`calm:  ${describe(calm)}`);
  console.log(
    `storm: ${describe(storm)}; p99.9 is ${(at(storm, 0.999) / at(calm, 0.999)).toFixed(2)} × the calm one`,
  );
  console.log(
    `heap: ${before} MB before, ${sessions} MB with all sessions, ${after} MB 30 seconds after their end`,
  );
  child.kill("SIGKILL");
}

async function runServer() {
  // The clock stops until all sessions exist, so they all expire at the same time.
  const start = Date.now();
  let startedAt = start;
  let isRunning = false;
  const now = () => (isRunning ? start + Date.now() - startedAt : start);
  const config = {
    shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }],
    session: {
      secret: "a secret that only this benchmark uses",
      guestIdleTimeout: idle,
      cache: false,
    },
    storage: { session: { driver: "memory" } },
    clientAddress: () => "127.0.0.1",
    methods: {
      begin: defineRpcMethod({ handler: (_, context) => context.updateCustomData({ count: 1 }) }),
    },
  };
  const app = createStorefront(config, { clock: { ...systemClock, now } });
  const server = serve(app, {
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
    gracefulShutdown: false,
    // The same as `storefront start`: Node's 5 seconds could end a connection while a call is on its way.
    node: { keepAliveTimeout: 65_000 },
  });
  await server.ready();
  const before = heap();
  for (let created = 0; created < count; created += 100) {
    const requests = Array.from({ length: 100 }, () => {
      const url = "http://localhost/api/rpc/begin";
      return app.fetch(new Request(url, { method: "POST", headers, body: "{}" }));
    });
    await Promise.all(requests);
    await sleep(0);
  }
  const sessions = heap();
  startedAt = Date.now();
  isRunning = true;
  process.on("disconnect", () => process.exit());
  process.on("message", () => process.send({ sessions, after: heap() }));
  process.send({
    port: Number(new URL(server.url).port),
    expiresAt: startedAt + idle * 1000,
    before,
  });
}

/** Sends calls at a steady rate until a time. @returns the latency of each, in milliseconds */
async function load(port, until) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const latencies = [];
  const open = new Set();
  const start = performance.now();
  for (let sent = 0; Date.now() < until; sent++) {
    const due = start + (sent * 1000) / callsPerSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    const sentAt = performance.now();
    const call = send(agent, port).then(() => latencies.push(performance.now() - sentAt));
    open.add(call);
    call.finally(() => open.delete(call));
  }
  await Promise.all(open);
  agent.destroy();
  return latencies.toSorted((a, b) => a - b);
}

function send(agent, port) {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: "127.0.0.1", method: "POST", headers };
    request({ ...options, path: "/api/rpc/getUser" }, (response) => {
      response.resume().on("end", resolve);
    })
      .on("error", reject)
      .end("{}");
  });
}

function heap() {
  globalThis.gc();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}

function at(sorted, share) {
  return sorted[Math.floor((sorted.length - 1) * share)];
}

function describe(sorted) {
  const figures = [0.5, 0.99, 0.999].map((share) => at(sorted, share).toFixed(1));
  return `median ${figures[0]} ms, p99 ${figures[1]} ms, p99.9 ${figures[2]} ms (${sorted.length} calls)`;
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFolder, runCli, shops, startCli, until } from "../../_cli.ts";
import { findFreePort } from "../../_command.ts";
import { parseMetrics, sumOf, type Sample } from "../../_metrics.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { testSecret } from "../../_setup.ts";
import {
  findWorkers,
  startWorkers,
  untilReady,
  untilRestarted,
  type WorkersServer,
} from "../../_workers.ts";

function toConfig(port: number, settings = ""): string {
  return `import { prometheus } from "storefront-core/prometheus";
import { defineRpcMethod } from "storefront-core";
export default {
  shops: ${shops},
  session: { secret: ${JSON.stringify(testSecret)} },
  server: { drainTimeout: 1 },
  telemetry: [prometheus({ port: ${port} })],
  methods: { crash: defineRpcMethod({ handler: () => process.kill(process.pid, "SIGKILL") }) },
  ${settings}
};`;
}

async function read(port: number): Promise<readonly Sample[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(response.status).toBe(200);
  return parseMetrics(await response.text());
}

async function callAnew({ origin }: Pick<WorkersServer, "origin">, method: string) {
  const headers = { connection: "close" };
  return (await fetch(`${origin}/api/rpc/${method}`, { method: "POST", headers })).status;
}

function countCalls(samples: readonly Sample[]): number {
  return sumOf(samples, "storefront_calls_total", { method: "getUser" });
}

describe("the port of the metrics", () => {
  test("serves /metrics alone, without a token, until the server ends", async () => {
    const port = await findFreePort();
    const folder = await createFolder({ "storefront.config.mjs": toConfig(port) });
    const server = await startCli(["start"], { folder });
    expect(await callAnew(server, "getUser")).toBe(200);
    expect(countCalls(await read(port))).toBe(1);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${server.origin}/metrics`)).status).toBe(404);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("becomes free for the next config of dev", async () => {
    const [first, second] = [await findFreePort(), await findFreePort()];
    const folder = await createFolder({ "storefront.config.mjs": toConfig(first) });
    const server = await startCli(["dev"], { folder });
    await read(first);
    for (const port of [second, first]) {
      const file = join(folder, "storefront.config.mjs");
      await writeFile(file, (await readFile(file, "utf8")).replace(/port: \d+/, `port: ${port}`));
      const isOpen = () =>
        read(port).then(
          () => true,
          () => false,
        );
      await expect.poll(isOpen, { timeout: 30_000 }).toBe(true);
    }
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("must be free at the start", async () => {
    const port = await findFreePort();
    const folder = await createFolder({ "storefront.config.mjs": toConfig(port) });
    const first = await startCli(["start"], { folder });
    const { code, stderr } = await runCli(["start", "--port", "0"], { folder });
    expect([code, stderr]).toEqual([
      1,
      `storefront: Port ${port} is already in use. Stop the other process, or choose another port with prometheus({ port }) (SF903)\n`,
    ]);
    first.signal("SIGTERM");
    await first.exited;
  });
});

describeWithRedis("the metrics of several workers", () => {
  const redis = useRedis();

  test("add up, and keep the counts of workers that have ended", async () => {
    const port = await findFreePort();
    const storage = `storage: { session: { driver: "redis", url: ${JSON.stringify(redis().url)} } },`;
    const { server } = await startWorkers(toConfig(port, storage));
    for (let call = 0; call < 20; call++) await callAnew(server, "getUser");
    for (let scrape = 0; scrape < 4; scrape++) expect(countCalls(await read(port))).toBe(20);
    server.signal("SIGHUP");
    await untilRestarted(server, 1);
    expect(countCalls(await read(port))).toBe(20);
    for (let call = 0; call < 10; call++) await callAnew(server, "getUser");
    expect(countCalls(await read(port))).toBe(30);
    const lag = (await read(port)).filter(
      ({ name }) => name === "nodejs_eventloop_lag_p99_seconds",
    );
    expect(lag).toHaveLength(1);
    // A killed worker sends no last snapshot, so its counts are those of the last scrape.
    await callAnew(server, "crash").catch(() => undefined);
    await untilReady(server, 5);
    await until(() => findWorkers(server).length === 5);
    expect(countCalls(await read(port))).toBe(30);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  }, 60_000);
});

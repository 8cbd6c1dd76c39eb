import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createFolder, shops } from "../../_cli.ts";
import { countCommands, startServerProcess, type ServerProcess } from "../../_process.ts";
import { describeWithRedis, startRedis, useRedis } from "../../_redis.ts";

/** A system that returns a number by HTTP, and counts the requests. */
async function startSystem() {
  const system = { requests: 0, version: 1, url: "", delay: 0 };
  const server = createServer((_, response) => {
    system.requests++;
    const { version } = system;
    setTimeout(() => response.end(String(version)), system.delay);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  system.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  onTestFinished(() => void server.close());
  return system;
}

const read = async ({ client }: ServerProcess, payload: { readonly url: string; key?: string }) =>
  client().call("readCached", { key: "a", ...payload });

describeWithRedis("the cache of two processes on Redis", () => {
  const redis = useRedis();
  let servers: [ServerProcess, ServerProcess];

  beforeAll(async () => {
    servers = [await startServerProcess(redis().url), await startServerProcess(redis().url)];
  });
  afterAll(async () => {
    for (const server of servers) await server.kill();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("50 equal reads at each process load once per process at most, and never again", async () => {
    const system = await startSystem();
    system.delay = 200;
    const payload = { key: "fifty", url: system.url };
    const reads = servers.flatMap((server) =>
      Array.from({ length: 50 }, () => read(server, payload)),
    );
    for (const { status, body } of await Promise.all(reads))
      expect([status, body]).toEqual([200, 1]);
    expect(system.requests).toBeLessThanOrEqual(2);
    const before = system.requests;
    for (const server of servers) await read(server, payload);
    expect(system.requests).toBe(before);
  });

  test("the second process takes the value that the first one loaded", async () => {
    const system = await startSystem();
    const payload = { key: "shared", url: system.url };
    await read(servers[0], payload);
    // The first process stores it in the background.
    await read(servers[0], { ...payload, key: "next" });
    expect((await read(servers[1], payload)).body).toBe(1);
    expect(system.requests).toBe(2);
  });

  test("the second process learns of an invalidation by the first one within a second", async () => {
    const system = await startSystem();
    const payload = { key: "tag", url: system.url };
    for (const server of servers) await read(server, payload);
    for (let round = 2; round < 12; round++) {
      const [one, two] = round % 2 === 0 ? servers : servers.toReversed();
      system.version = round;
      expect((await (one as ServerProcess).client().call("invalidate", ["tag"])).status).toBe(204);
      const invalidatedAt = performance.now();
      expect((await read(one as ServerProcess, payload)).body).toBe(round);
      while ((await read(two as ServerProcess, payload)).body !== round) {
        expect(performance.now() - invalidatedAt).toBeLessThan(1000);
      }
    }
  });

  test("a read of a cached value sends Redis no command", async () => {
    const system = await startSystem();
    const payload = { key: "free", url: system.url };
    await vi.waitFor(async () => {
      const commands = await countCommands(redis().url, () => read(servers[0], payload));
      expect(commands).toEqual([]);
    });
    const commands = await countCommands(redis().url, async () => {
      for (let count = 0; count < 20; count++) await read(servers[0], payload);
    });
    expect(commands).toEqual([]);
    expect(system.requests).toBe(1);
  });
});

describeWithRedis("close", () => {
  const redis = useRedis();

  test("ends a load that hangs, and the process", async () => {
    const storage = { session: { driver: "redis", url: redis().url } };
    const folder = await createFolder({
      "a.mjs": `import { createStorefront, defineRpcMethod } from "storefront-core";
        let begin;
        const begun = new Promise((resolve) => (begin = resolve));
        const hang = defineRpcMethod({
          access: "public",
          handler: (_, { cached }) => cached("a", 60, ({ signal }) => {
            signal.addEventListener("abort", () => console.log(signal.reason.message));
            begin();
            return new Promise(() => {});
          }),
        });
        const app = createStorefront({
          shops: ${shops}, methods: { hang }, storage: ${JSON.stringify(storage)},
        });
        const call = app.fetch(new Request("http://localhost/api/rpc/hang", {
          method: "POST", headers: { "x-shop-id": "1" },
        }));
        await begun;
        await app.close();
        console.log((await call).status);`,
    });
    const child = spawn(process.execPath, ["a.mjs"], { cwd: folder });
    const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    const [code] = await once(child, "close");
    clearTimeout(timer);
    expect([code, output]).toEqual([0, "The server closes\n503\n"]);
  });
});

describeWithRedis("the cache while Redis", () => {
  test.each([
    ["doesn't respond", "pause"],
    ["is down", "stop"],
  ] as const)("%s: reads succeed, and invalidate gets 503", async (_, kind) => {
    const redis = await startRedis();
    const server = await startServerProcess(redis.url);
    onTestFinished(async () => {
      redis.resume();
      await server.kill();
      await redis.stop();
    });
    const system = await startSystem();
    expect((await read(server, { url: system.url })).body).toBe(1);
    await (kind === "pause" ? redis.pause() : redis.stop());
    system.version = 2;
    expect((await read(server, { url: system.url })).body).toBe(1);
    for (let key = 0; key < 20; key++) {
      for (let count = 0; count < 2; count++) {
        const { status, body } = await read(server, { url: system.url, key: `key ${key}` });
        expect([status, body]).toEqual([200, 2]);
      }
    }
    expect(system.requests).toBe(21);
    // One read can wait for Redis, and a probe in the background costs the others nothing. If each of them waited for a
    // second, the test would take too long.
    const refused = await server.client().call("invalidate", ["a"]);
    expect(refused).toMatchObject({ status: 503, body: { code: "storage_unavailable" } });
    if (kind === "stop") return;
    redis.resume();
    system.version = 3;
    await vi.waitFor(
      async () => expect((await server.client().call("invalidate", ["a"])).status).toBe(204),
      { timeout: 10_000 },
    );
    expect((await read(server, { url: system.url })).body).toBe(3);
  });
});

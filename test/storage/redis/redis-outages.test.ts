import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Redis } from "ioredis";
import type { Driver } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { absent, type Collection } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { increment, openCounters, setTo, until, type Counter } from "../../_documents.ts";
import { describeWithRedis, startRedis, startRedisCluster, type TestRedis } from "../../_redis.ts";
import { startTcpProxy } from "../../_tcp-proxy.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const drivers: [string, (url: string) => Driver][] = [
  ["by name", (url) => openDriver({ driver: "redis", url })],
  ["as a driver object", (url) => redisDriver({ url })],
];

async function useRedis(args: readonly string[] = []): Promise<TestRedis> {
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  return redis;
}

async function control(redis: TestRedis): Promise<Redis> {
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  return client;
}

/** Whether a write is taken. */
async function writes(counters: Collection<Counter>): Promise<boolean> {
  return counters.update("a", increment).then(
    () => true,
    () => false,
  );
}

describeWithRedis("a connection to Redis", () => {
  test.each(drivers)("recovers within four seconds after a silent failure, %s", async (_, open) => {
    const redis = await useRedis();
    const proxy = await startTcpProxy(redis.port);
    const { counters, lines } = openCounters(open(proxy.url));
    await counters.update("a", setTo(1));
    proxy.silence();
    const startedAt = performance.now();
    await until(() => writes(counters));
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(lines).toEqual([
      {
        level: "error",
        message: expect.stringContaining(`127.0.0.1:${proxy.port}`),
        details: { reason: "no response" },
      },
      { level: "info", message: `Redis at 127.0.0.1:${proxy.port} is back`, details: undefined },
    ]);
  });

  test("recovers from a silent failure between calls without a failed call", async () => {
    const redis = await useRedis();
    const proxy = await startTcpProxy(redis.port);
    const { counters } = openCounters(openDriver({ driver: "redis", url: proxy.url }));
    await counters.update("a", setTo(1));
    proxy.silence();
    await sleep(7000);
    expect(await counters.get("a")).toMatchObject({ value: { count: 1 } });
  }, 15_000);

  test.each(drivers)("moves away from a demoted primary, %s", async (_, open) => {
    const [first, second] = [await useRedis(), await useRedis()];
    const proxy = await startTcpProxy(first.port);
    const { counters, lines } = openCounters(open(proxy.url));
    await counters.update("a", setTo(1));
    await (await control(first)).replicaof("127.0.0.1", second.port);
    proxy.target = second.port;
    await until(() => writes(counters));
    expect(lines.map(({ details }) => details?.["reason"])).toEqual(["READONLY", undefined]);
  });

  test("moves away from a replica without its primary, even for reads", async () => {
    const [first, second] = [
      await useRedis(["--replica-serve-stale-data", "no"]),
      await useRedis(),
    ];
    const proxy = await startTcpProxy(first.port);
    const { counters } = openCounters(openDriver({ driver: "redis", url: proxy.url }));
    await counters.update("a", setTo(1));
    await (await control(first)).replicaof("127.0.0.1", 1);
    proxy.target = second.port;
    await until(() =>
      counters.get("a").then(
        () => true,
        () => false,
      ),
    );
  });

  test("logs once that Redis stays a read-only replica, and still reads", async () => {
    const redis = await useRedis();
    const { counters, lines } = openCounters(openDriver({ driver: "redis", url: redis.url }));
    await counters.update("a", setTo(1));
    const client = await control(redis);
    await client.replicaof("127.0.0.1", 1);
    const until5 = Date.now() + 4500;
    while (Date.now() < until5) {
      expect(await writes(counters)).toBe(false);
      expect((await counters.get("a")).value).toEqual({ count: 1 });
      await sleep(50);
    }
    await client.replicaof("NO", "ONE");
    await until(() => writes(counters));
    expect(lines.map(({ level }) => level)).toEqual(["error", "info"]);
  }, 15_000);
});

describeWithRedis("a Redis that is stopped", () => {
  test("lets no more than 5,000 commands wait, and the heap does not grow with each call", async () => {
    const redis = await useRedis();
    const { counters } = openCounters(openDriver({ driver: "redis", url: redis.url }));
    await counters.update("a", setTo(1));
    redis.pause();
    onTestFinished(() => redis.resume());
    const heaps: number[] = [];
    for (let round = 0; round < 4; round++) {
      const calls = Array.from({ length: 20_000 }, () => counters.get("a").catch(String));
      const startedAt = performance.now();
      const failures = await Promise.all(calls);
      expect(performance.now() - startedAt).toBeLessThan(2500);
      expect(failures.every((failure) => String(failure).includes("StorageUnavailable"))).toBe(
        true,
      );
      collectGarbage();
      heaps.push(process.memoryUsage().heapUsed);
    }
    // Without a bound, 60,000 calls kept some 138 MB.
    expect((heaps.at(-1) as number) - (heaps[0] as number)).toBeLessThan(5e6);
    redis.resume();
    await until(() => writes(counters));
  }, 30_000);

  test("works again after losing more commands than the queue holds", async () => {
    const redis = await useRedis();
    const proxy = await startTcpProxy(redis.port);
    const { counters } = openCounters(openDriver({ driver: "redis", url: proxy.url }));
    await counters.update("a", setTo(1));
    for (let round = 0; round < 3; round++) {
      proxy.silence();
      const calls = Array.from({ length: 2500 }, () => counters.get("a"));
      await Promise.allSettled(calls);
      await until(() => writes(counters));
    }
    const results = await Promise.allSettled(Array.from({ length: 2500 }, () => counters.get("a")));
    expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
  }, 30_000);

  test("never runs a command that timed out while there was no connection", async () => {
    const first = await startRedis();
    await first.stop();
    // ioredis' own queue would keep a command for 20 attempts.
    const { counters } = openCounters(redisDriver({ url: first.url }));
    await expect(counters.update("a", increment, absent)).rejects.toThrow("failed to write");
    const second = await startRedis({ port: first.port });
    onTestFinished(() => second.stop());
    await until(() =>
      counters.get("b").then(
        () => true,
        () => false,
      ),
    );
    expect((await counters.get("a")).value).toBeUndefined();
  });

  test.each(drivers)("doesn't get a write again that had no reply, %s", async (_, open) => {
    const redis = await useRedis();
    const proxy = await startTcpProxy(redis.port);
    const { counters } = openCounters(open(proxy.url));
    const { value, ...before } = await counters.update("a", setTo(1));
    expect(value).toEqual({ count: 1 });
    proxy.silence();
    const lost = counters.update("a", increment, { value, ...before });
    await expect(lost).rejects.toThrow("failed to write");
    await until(() =>
      counters.get("b").then(
        () => true,
        () => false,
      ),
    );
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });
});

describeWithRedis("a method that holds the event loop", () => {
  test("fails no command whose reply has arrived", async () => {
    const redis = await useRedis();
    const { counters } = openCounters(openDriver({ driver: "redis", url: redis.url }));
    await counters.update("a", setTo(1));
    for (const isSent of [true, false]) {
      const calls = Array.from({ length: 100 }, () => counters.get("a"));
      if (isSent) await sleep(0);
      const until1 = Date.now() + 1500;
      while (Date.now() < until1);
      const results = await Promise.allSettled(calls);
      expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
    }
  });
});

describeWithRedis("a Redis Cluster", () => {
  test("fails only the calls of a node that hangs, in about a second", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const { counters } = openCounters(openDriver({ driver: "redis", cluster: cluster.nodes }));
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => counters.update(key, setTo(1))));
    cluster.pause(0);
    const startedAt = performance.now();
    const results = await Promise.allSettled(keys.map((key) => counters.get(key)));
    expect(performance.now() - startedAt).toBeLessThan(1500);
    const failed = results.filter(({ status }) => status === "rejected").length;
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(keys.length);
    await sleep(1500);
    cluster.resume(0);
    await until(async () =>
      Promise.all(keys.map((key) => counters.get(key))).then(
        () => true,
        () => false,
      ),
    );
  }, 30_000);
});

describeWithRedis("the connections to a Redis Cluster", () => {
  test("recover within four seconds after a silent failure", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const proxies = await Promise.all(cluster.nodes.map(({ port }) => startTcpProxy(port)));
    const seen = cluster.nodes.map(({ host, port }, index): [string, object] => {
      return [`${host}:${port}`, { host, port: proxies[index]?.port }];
    });
    const { counters } = openCounters(
      openDriver({
        driver: "redis",
        cluster: seen.map(([, node]) => node),
        clusterOptions: { natMap: Object.fromEntries(seen) },
      }),
    );
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    const readAll = async () => Promise.all(keys.map((key) => counters.get(key)));
    await Promise.all(keys.map((key) => counters.update(key, setTo(1))));
    for (const proxy of proxies) expect(proxy.silence()).toBeGreaterThan(0);
    const startedAt = performance.now();
    await until(() =>
      readAll().then(
        () => true,
        () => false,
      ),
    );
    expect(performance.now() - startedAt).toBeLessThan(4000);
  }, 30_000);
});

describe("an address that accepts connections and never replies", () => {
  test("causes one log line, and delays only the first calls, by a second", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { counters, lines } = openCounters(
      openDriver({ driver: "redis", url: `redis://:hunter2@127.0.0.1:${port}` }),
    );
    await expect(counters.get("a")).rejects.toThrow("failed to read");
    await sleep(2500);
    // It doesn't wait for a response.
    const cause = expect.objectContaining({ message: expect.stringContaining("No connection") });
    await expect(counters.get("a")).rejects.toMatchObject({ cause });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain(`127.0.0.1:${port}`);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });
});

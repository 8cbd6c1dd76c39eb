import { createServer } from "node:net";
import { once } from "node:events";
import type { Redis } from "ioredis";
import type { Driver } from "unstorage";
import { describe, expect, onTestFinished, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { increment, openCounters, setTo, until } from "../../_documents.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";
import { findFreePort } from "../../_command.ts";

describe("a driver by name", () => {
  test("gets the options next to its name from unstorage", () => {
    expect(openDriver({ driver: "memory" }).name).toBe("memory");
    expect(openDriver({ driver: "lruCache", max: 5 })).toMatchObject({
      name: "lru-cache",
      options: { max: 5 },
    });
  });

  test("leaves the config unchanged", () => {
    const config = Object.freeze({ driver: "fs-lite", base: "./data" });
    openDriver(config);
    expect(config).toEqual({ driver: "fs-lite", base: "./data" });
  });

  test("fails with a suggestion if it is misspelled", () => {
    expect(() => openDriver({ driver: "Redis" })).toThrow(TypeError);
    expect(() => openDriver({ driver: "Redis" })).toThrow("did you mean redis?");
    expect(() => openDriver({ driver: "lru" })).toThrow("did you mean lru-cache?");
    expect(() => openDriver({ driver: "redsi" })).toThrow("did you mean redis?");
    expect(() => openDriver({ driver: "postgres" })).toThrow(/there are .*memory, .*redis/);
  });

  test.each(["__proto__", "constructor", "toString", "", undefined, 7])(
    "fails if it is %j",
    (driver) => {
      expect(() => openDriver({ driver } as StorageConfig)).toThrow(TypeError);
    },
  );

  test.each([
    ["upstash", "upstash"],
    ["cloudflareKVBinding", "cloudflare-kv-binding"],
    ["null", "null"],
  ])("says how to pass the driver object of %s", (driver, file) => {
    expect(() => openDriver({ driver })).toThrow(`from "unstorage/drivers/${file}", and pass `);
  });

  test("loads nothing until it is used", async () => {
    const { store } = openCounters(openDriver({ driver: "redis", url: "not an address" }));
    expect(store.capabilities).toEqual({ atomic: "cluster", changes: "pushed", ttl: "native" });
    const cluster = openCounters(openDriver({ driver: "redis", cluster: [] })).store;
    expect(cluster.capabilities).toMatchObject({ changes: "unheard" });
    const invalid = openCounters(openDriver({ driver: "lru-cache", max: -1 }));
    await expect(invalid.store.ready()).rejects.toThrow("max");
    await expect(invalid.counters.get("a")).rejects.toThrow(StorageUnavailableError);
    await cluster.close();
    await expect(cluster.ready()).rejects.toThrow("closed");
  });

  test("names the option that it needs", () => {
    expect(() => openDriver({ driver: "fs" })).toThrow("`base`");
  });
});

test("openDriver returns a driver object unchanged", () => {
  const driver = openDriver({ driver: "memory" });
  expect(openDriver(driver)).toBe(driver);
});

describe("redis by name", () => {
  const impatient = { maxRetriesPerRequest: 1, commandTimeout: 1000, connectTimeout: 1000 };

  test("uses short time limits, unless the config sets others", () => {
    expect(openDriver({ driver: "redis" }).options).toMatchObject(impatient);
    const options = { driver: "redis", commandTimeout: 50, connectTimeout: undefined };
    expect(openDriver(options).options).toMatchObject({ ...impatient, commandTimeout: 50 });
  });

  test("uses the same time limits in a cluster", () => {
    const clusterOptions = { redisOptions: { password: "p", commandTimeout: 50 } };
    const driver = openDriver({ driver: "redis", cluster: [], clusterOptions });
    expect(driver.options).toMatchObject({
      clusterOptions: { redisOptions: { ...impatient, password: "p", commandTimeout: 50 } },
    });
  });
});

/** Milliseconds in which a call fails, also on a slow machine. With the defaults of ioredis, it takes more than 10 s. */
const patience = 8000;

describe("a Redis that can't be reached", () => {
  test("fails fast, and is logged once, with host and port and without user and password", async () => {
    const port = await findFreePort();
    const url = `redis://shop:hunter2@127.0.0.1:${port}`;
    const { counters, store, lines } = openCounters(openDriver({ driver: "redis", url }));
    for (const call of [() => counters.get("a"), () => store.ping(), () => counters.take("a")]) {
      const { error, time } = await timeFailure(call);
      expect(error).toBeInstanceOf(StorageUnavailableError);
      expect(time).toBeLessThan(patience);
      expect((error as Error).message).not.toMatch(/hunter2|127\.0\.0\.1/);
    }
    const message = `Redis at 127.0.0.1:${port} cannot be used; calls that need it get 503 until it is back`;
    expect(lines).toEqual([{ level: "error", message, details: { reason: "ECONNREFUSED" } }]);
  });

  test("fails fast as a cluster", async () => {
    const cluster = [{ host: "127.0.0.1", port: await findFreePort() }];
    const { counters } = openCounters(openDriver({ driver: "redis", cluster }));
    const { error, time } = await timeFailure(() => counters.get("a"));
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(time).toBeLessThan(patience);
  });

  test("fails fast if it accepts connections and never replies", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { counters } = openCounters(openDriver({ driver: "redis", host: "127.0.0.1", port }));
    const { error, time } = await timeFailure(() => counters.get("a"));
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(time).toBeLessThan(patience);
  });
});

describeWithRedis("a Redis that disconnects", () => {
  test("fails calls within a second, and works again when it is back", async () => {
    const redis = await startRedis();
    const { counters, lines } = openCounters(openDriver({ driver: "redis", url: redis.url }));
    await counters.update("a", setTo(1));
    await redis.stop();
    for (const call of [counters.get("a"), counters.update("a", increment), counters.take("a")]) {
      const { error, time } = await timeFailure(() => call);
      expect(error).toBeInstanceOf(StorageUnavailableError);
      expect(time).toBeLessThan(patience);
    }
    const again = await startRedis({ port: redis.port });
    onTestFinished(() => again.stop());
    await until(() =>
      counters.update("a", setTo(2)).then(
        () => true,
        () => false,
      ),
    );
    expect((await counters.get("a")).value).toEqual({ count: 2 });
    expect(lines.map(({ level }) => level)).toEqual(["error", "info"]);
  });

  test("fails calls as fast if it hangs", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { counters } = openCounters(
      openDriver({ driver: "redis", url: redis.url, commandTimeout: 300 }),
    );
    await counters.update("a", setTo(1));
    redis.pause();
    const error: unknown = await counters.get("a").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect((error as Error).cause).toMatchObject({ message: "No response within 300 ms" });
    redis.resume();
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });

  test("leaves no rejection unhandled if a command fails after its time limit", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { counters, store } = openCounters(openDriver({ driver: "redis", url: redis.url }));
    await counters.update("a", setTo(1));
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", listener);
    redis.pause();
    await expect(counters.get("a")).rejects.toThrow(StorageUnavailableError);
    await store.close();
    await redis.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });

  test("fails calls as fast with the default time limits of ioredis in a driver object", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const driver = await openPatientDriver(redis.url);
    const { counters } = openCounters(driver);
    await counters.update("a", setTo(1));
    redis.pause();
    const error: unknown = await counters.get("a").catch((reason: unknown) => reason);
    redis.resume();
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect((error as Error).cause).toMatchObject({ message: "No response within 1000 ms" });
  });
});

/** A driver that a caller creates without our defaults. */
async function openPatientDriver(url: string): Promise<Driver> {
  const driver = openDriver({ driver: "redis", url });
  const client = (await driver.getInstance?.()) as Redis;
  Object.assign(client.options, { commandTimeout: undefined, maxRetriesPerRequest: 20 });
  return driver;
}

async function timeFailure(call: () => Promise<unknown>) {
  const start = performance.now();
  const error: unknown = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, time: performance.now() - start };
}

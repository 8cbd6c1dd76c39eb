import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { createStorage, type Driver } from "unstorage";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Updater, UnreadablePolicy } from "../../../storage/documents/documents.ts";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import {
  createDirectory,
  increment,
  isCounter,
  openCounters,
  readRaw,
  setTo,
  type Counter,
} from "../../_documents.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../_redis.ts";

/** Half a document, an empty file, another program's text, and a document of another shape. */
const spoilt = ['{"version":"x","value":{"cou', "", "hello", '{"version":"x","value":[]}'];

type CreateDriver = () => Promise<Driver>;

describe("memory", () => {
  testPolicies(async () => openDriver({ driver: "memory" }));
});

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  testPolicies(async () => openDriver({ driver, base: await createDirectory() }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testPolicies(async () => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

describeWithRedis("a value of another Redis type", () => {
  const redis = useRedis();

  test.each<[string, (client: Redis, key: string) => Promise<unknown>]>([
    ["a list", (client, key) => client.lpush(key, "x")],
    ["a hash", (client, key) => client.hset(key, "x", "y")],
    ["a stream", (client, key) => client.xadd(key, "*", "x", "y")],
  ])("behaves like an unreadable text: %s", async (_, write) => {
    const base = randomUUID();
    const driver = openDriver({ driver: "redis", url: redis().url, base });
    const client = (await driver.getInstance?.()) as Redis;
    const { store } = openCounters(driver);
    const key = `${base}:counter:1:a`;
    await write(client, key);
    const type = await client.type(key);
    const refusing = store.collection("counter:1", isCounter, "refuse");
    await expect(refusing.get("a")).rejects.toThrow(StorageUnavailableError);
    await expect(refusing.update("a", increment)).rejects.toThrow(StorageUnavailableError);
    expect(await client.type(key)).toBe(type);
    const keeping = store.collection("counter:1", isCounter, "setAside");
    expect((await keeping.update("a", increment)).value).toEqual({ count: 1 });
    expect(await client.type(`${key}:unreadable`)).toBe(type);
    await client.del(key);
    await write(client, key);
    const dropping = store.collection("counter:1", isCounter, "drop");
    expect((await dropping.get("a")).value).toBeUndefined();
    expect((await dropping.update("a", increment)).value).toEqual({ count: 1 });
  });
});

describeWithRedis("redis cluster", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 30_000);
  afterAll(() => cluster.stop());

  describe.each(["shop", "{shop}"])("below %s", (base) => {
    testPolicies(async () =>
      openDriver({ driver: "redis", cluster: cluster.nodes, base: `${base}-${randomUUID()}` }),
    );
  });
});

/** The behavior of a collection with each policy. */
function testPolicies(createDriver: CreateDriver): void {
  async function open(unreadable?: UnreadablePolicy) {
    const driver = await createDriver();
    const { store, lines } = openCounters(driver);
    const counters = store.collection("counter:1", isCounter, unreadable);
    const write = (text: string) => createStorage({ driver }).setItemRaw("counter:1:a", text);
    return { driver, lines, counters, write };
  }

  test("drops an unreadable document by default, and the next write replaces it", async () => {
    const { driver, lines, counters, write } = await open();
    for (const text of spoilt) {
      await write(text);
      expect((await counters.get("a")).value).toBeUndefined();
      expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
    }
    expect(lines.every(({ level }) => level === "warn")).toBe(true);
    expect(await findAside(driver)).toBeUndefined();
  });

  test("moves an unreadable document aside once, and starts with an empty one", async () => {
    const { driver, lines, counters, write } = await open("setAside");
    for (const text of spoilt) {
      await write(text);
      lines.length = 0;
      expect((await counters.get("a")).value).toBeUndefined();
      expect((await counters.get("a")).value).toBeUndefined();
      expect(lines).toEqual([
        {
          level: "warn",
          message: expect.stringContaining("<key>:unreadable"),
          details: { collection: "counter:1", key: "a" },
        },
      ]);
      expect(await findAside(driver)).toBe(text);
      expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
      expect((await counters.get("a")).value).toEqual({ count: 1 });
      expect(await findAside(driver)).toBe(text);
    }
  });

  test("moves a document aside if a write finds it unreadable, also if it was readable before", async () => {
    const { driver, counters, write } = await open("setAside");
    const read = await counters.update("a", setTo(7));
    await write("spoilt");
    expect((await counters.update("a", increment, read)).value).toEqual({ count: 1 });
    expect(await findAside(driver)).toBe("spoilt");
    await write("spoilt again");
    expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
    expect(await findAside(driver)).toBe("spoilt again");
    await write("spoilt at last");
    expect(await counters.take("a")).toBeUndefined();
    expect(await findAside(driver)).toBe("spoilt at last");
    await counters.update("a", setTo(3));
    expect(await counters.take("a")).toEqual({ count: 3 });
    expect((await counters.get("a")).value).toBeUndefined();
  });

  test("loses no write while another one moves the document aside", async () => {
    const { counters, write } = await open("setAside");
    await write("spoilt");
    const rules: Updater<Counter>[] = Array.from({ length: 10 }, () => increment);
    await Promise.all(
      rules.map(async (rule) => {
        await counters.get("a");
        await counters.update("a", rule);
      }),
    );
    expect((await counters.get("a")).value).toEqual({ count: 10 });
  });

  test("rejects operations on an unreadable document, and leaves it unchanged", async () => {
    const { driver, counters, write } = await open("refuse");
    for (const text of spoilt) {
      await write(text);
      for (const call of [
        () => counters.get("a"),
        () => counters.update("a", increment),
        () => counters.take("a"),
      ]) {
        const error: unknown = await call().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StorageUnavailableError);
        expect((error as Error).message).toContain("counter:1:a");
      }
      expect(await readRaw(driver, "counter:1:a")).toBe(text);
    }
    expect(await findAside(driver)).toBeUndefined();
  });
}

test("ends a document that was moved aside after 30 days, also in a later process", async () => {
  const base = await createDirectory();
  const { log } = createTestLog();
  const driver = openDriver({ driver: "fs", base });
  const earlier = openDocumentStore(driver, { log });
  await createStorage({ driver }).setItemRaw("counter:1:a", "spoilt");
  await earlier.collection("counter:1", isCounter, "setAside").get("a");
  await earlier.close();
  const clock = createTestClock();
  const later = openDriver({ driver: "fs", base });
  const store = openDocumentStore(later, { log, clock });
  await store.ready();
  await clock.advance(29 * 86_400);
  expect(await findAside(later)).toBe("spoilt");
  await clock.advance(2 * 86_400);
  await vi.waitFor(async () => {
    await clock.advance(12);
    expect(await findAside(later)).toBeUndefined();
  });
  await store.close();
});

/** The text that was moved aside from the key `counter:1:a`. */
async function findAside(driver: Driver): Promise<string | undefined> {
  if (driver.name !== "redis") {
    const file = await readRaw(driver, "counter:1:a.unreadable");
    const text = file ?? (await readRaw(driver, "counter:1:a:unreadable"));
    return text === undefined ? undefined : (JSON.parse(text) as { value: string }).value;
  }
  const client = (await driver.getInstance?.()) as {
    isCluster?: boolean;
    get(key: string): Promise<string | null>;
    ttl(key: string): Promise<number>;
  };
  const base = String(driver.options?.base);
  const isTagged = !client.isCluster || base.startsWith("{");
  const key = `${base}:counter:1:a`;
  const aside = isTagged ? `${key}:unreadable` : `{${key}}:unreadable`;
  const text = (await client.get(aside)) ?? undefined;
  if (text !== undefined) expect(await client.ttl(aside)).toBeGreaterThan(29.9 * 86_400);
  return text;
}

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import type { Driver } from "unstorage";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { absent } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { toKeySegment } from "../../../storage/documents/key.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { testDocuments } from "../../_document-tests.ts";
import {
  createDirectory,
  increment,
  openCounters,
  setTo,
  slowDown,
  until,
} from "../../_documents.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../_redis.ts";
import { compileStorage } from "../../_compiled.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("memory", () => {
  testDocuments(async () => openDriver({ driver: "memory" }));
});

describe("memory, each answer a macrotask later", () => {
  testDocuments(async () => slowDown(openDriver({ driver: "memory" })));
});

describe("lru-cache", () => {
  testDocuments(async () => openDriver({ driver: "lru-cache" }));
});

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  testDocuments(async () => openDriver({ driver, base: await createDirectory() }));
});

describe("http", () => {
  testDocuments(async () => openDriver({ driver: "http", base: await startFileServer() }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testDocuments(async () => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

describeWithRedis("redis cluster", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 30_000);
  afterAll(() => cluster.stop());

  testDocuments(async () =>
    openDriver({ driver: "redis", cluster: cluster.nodes, base: randomUUID() }),
  );
});

describe("a storage that fails", () => {
  const secret = "redis://admin:hunter2@db.internal";
  const fail = () => Promise.reject(new Error(secret));

  test("is reported without what it said", async () => {
    const driver: Driver = { ...openDriver({ driver: "memory" }), name: "flaky" };
    const { counters, store } = openCounters(driver);
    const read = await counters.update("a", setTo(1));
    driver.getItemRaw = fail;
    for (const call of [counters.get("a"), counters.take("a"), store.ping()]) {
      const error = await call.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(StorageUnavailableError);
      expect((error as Error).message).toContain("flaky");
      expect((error as Error).message).not.toContain("hunter2");
      expect((error as Error).cause).toMatchObject({ message: secret });
    }
    await expect(counters.update("a", increment, read)).rejects.toThrow(StorageUnavailableError);
  });

  test("acknowledges no write and no removal", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters } = openCounters(driver);
    await counters.update("a", setTo(1));
    driver.setItemRaw = fail;
    await expect(counters.update("a", increment)).rejects.toThrow(StorageUnavailableError);
    driver.removeItem = fail;
    await expect(counters.update("a", () => "remove")).rejects.toThrow(StorageUnavailableError);
    await expect(counters.take("a")).rejects.toThrow(StorageUnavailableError);
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });

  // The fs drivers return the errors of reads and removals, where others throw them.
  test("is noticed where it returns its errors", async () => {
    const base = await createDirectory();
    const { counters } = openCounters(openDriver({ driver: "fs", base }));
    await mkdir(join(base, "counter"));
    await writeFile(join(base, "counter", "1"), "a file where a directory should be");
    await expect(counters.get("a")).rejects.toThrow(StorageUnavailableError);
    const driver = openDriver({ driver: "memory" });
    const other = openCounters(driver);
    await other.counters.update("a", setTo(1));
    Object.assign(driver, { removeItem: () => new Error("EACCES") });
    await expect(other.counters.take("a")).rejects.toThrow(StorageUnavailableError);
  });

  test("is refused at once where it cannot write", async () => {
    const driver = openDriver({ driver: "fs", base: await createDirectory(), readOnly: true });
    expect(() => openCounters(driver)).toThrow(TypeError);
    const { getItem, getKeys, hasItem } = openDriver({ driver: "memory" });
    expect(() => openCounters({ getItem, getKeys, hasItem })).toThrow(TypeError);
  });

  // fs writes in place: who reads meanwhile finds an empty or a cut file.
  test("is asked again where what was read is half written", async () => {
    const driver = openDriver({ driver: "memory" });
    const { setItemRaw = expect.fail } = driver;
    driver.setItemRaw = async (key, value: string, options) => {
      await setItemRaw(key, value.slice(0, 20), options);
      await sleep(5);
      await setItemRaw(key, value, options);
    };
    const { counters, lines } = openCounters(driver);
    const writing = counters.update("a", setTo(1));
    await sleep(2);
    expect((await counters.get("a")).value).toEqual({ count: 1 });
    await writing;
    expect(lines).toEqual([]);
  });
});

describeWithRedis("several processes on one Redis", () => {
  const redis = useRedis();
  const openClient = () => openDriver({ driver: "redis", url: redis().url });

  test("lose no update of one document", async () => {
    const stores = Array.from({ length: 4 }, () => openCounters(openClient()).counters);
    const updates = stores.map((counters) =>
      Array.from({ length: 100 }, () => counters.update("shared", increment)),
    );
    await Promise.all(updates.flat());
    expect((await stores[0]?.get("shared"))?.value).toEqual({ count: 400 });
  });

  test("give a taken document to one", async () => {
    const stores = Array.from({ length: 4 }, () => openCounters(openClient()).counters);
    for (let round = 0; round < 20; round++) {
      await stores[0]?.update("taken", setTo(round));
      const taken = await Promise.all(stores.map((counters) => counters.take("taken")));
      expect(taken.filter((value) => value !== undefined)).toEqual([{ count: round }]);
    }
  });

  test("lose nothing as processes of their own either", async () => {
    const storage = await compileStorage();
    const program = `
      import { openDocumentStore, openDriver } from "${storage}";
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const store = openDocumentStore(openDriver({ driver: "redis", url: process.argv[1] }), { log });
      const counters = store.collection("counter:1", (value) => true);
      const increment = (counter) => ({ set: { count: (counter?.count ?? 0) + 1 } });
      for (let count = 0; count < 150; count++) await counters.update("processes", increment);
      await store.close();
    `;
    const args = ["--input-type=module", "--eval", program, redis().url];
    const run = () => promisify(execFile)(process.execPath, args);
    await Promise.all([run(), run()]);
    const { counters } = openCounters(openClient());
    expect((await counters.get("processes")).value).toEqual({ count: 300 });
  });
});

describeWithRedis("on Redis", () => {
  const redis = useRedis();

  function openCounted() {
    const driver = openDriver({ driver: "redis", url: redis().url });
    const client = driver.getInstance?.() as Redis;
    return { ...openCounters(driver), sent: vi.spyOn(client, "sendCommand") };
  }

  test("every operation is one command", async () => {
    const { counters, sent } = openCounted();
    await counters.update("warm", setTo(1));
    await counters.take("warm");
    const expectSent = async (call: Promise<unknown>, names: string[]) => {
      await call;
      expect(sent.mock.calls.map(([command]) => command.name)).toEqual(names);
      sent.mockClear();
    };
    sent.mockClear();
    const read = await counters.get("a");
    await expectSent(Promise.resolve(), ["get"]);
    await expectSent(counters.update("a", increment, read), ["evalsha"]);
    await expectSent(counters.update("a", increment), ["get", "evalsha"]);
    await expectSent(counters.update("a", increment, read), ["evalsha", "evalsha"]);
    await expectSent(
      counters.update("a", () => "keep"),
      ["get"],
    );
    await expectSent(counters.take("a"), ["evalsha"]);
  });

  test("what is asked in one turn leaves in one write, and what comes after waits for no answer", async () => {
    const driver = openDriver({ driver: "redis", url: redis().url });
    const { counters } = openCounters(driver);
    await counters.update("a", setTo(1));
    const client = driver.getInstance?.() as Redis;
    const single = vi.spyOn(client.stream, "_write");
    const several = vi.spyOn(client.stream, "_writev");
    redis().pause();
    onTestFinished(() => redis().resume());
    const first = [counters.get("a"), counters.get("b"), counters.get("c")];
    await setImmediate();
    const second = [counters.get("a"), counters.get("b")];
    await setImmediate();
    expect(several.mock.calls.map(([chunks]) => chunks.length)).toEqual([3, 2]);
    expect(single).not.toHaveBeenCalled();
    redis().resume();
    await Promise.all([...first, ...second]);
  });

  test("sends a script again where Redis forgot it", async () => {
    const { counters, sent } = openCounted();
    await counters.update("a", setTo(1));
    const client = new Redis(redis().url);
    await client.script("FLUSH");
    client.disconnect();
    sent.mockClear();
    await counters.update("a", increment, await counters.get("a"));
    expect(sent.mock.calls.map(([command]) => command.name)).toEqual(["get", "evalsha", "eval"]);
    expect((await counters.get("a")).value).toEqual({ count: 2 });
  });

  test("documents lie where the driver would put them, and Redis ends them", async () => {
    const client = new Redis(redis().url);
    onTestFinished(() => client.disconnect());
    const base = "{shop}/a:";
    const driver = openDriver({ driver: "redis", url: redis().url, base, ttl: 5 });
    const { counters } = openCounters(driver);
    await counters.update("endless", setTo(1));
    await counters.update("short", setTo(1, Date.now() + 300.5));
    expect(await driver.hasItem("counter:1:endless", {})).toBe(true);
    expect(await client.pttl("{shop}:a:counter:1:endless")).toBe(-1);
    expect(await client.pttl("{shop}:a:counter:1:short")).toBeGreaterThan(0);
    await until(async () => (await client.exists("{shop}:a:counter:1:short")) === 0);
    await counters.update("far", setTo(1, 8e15));
    await counters.update("far", setTo(1), await counters.get("far"));
    expect(await client.pttl("{shop}:a:counter:1:far")).toBe(-1);
  });

  test("a write that was sent twice is done once", async () => {
    const { counters, sent } = openCounted();
    await counters.update("twice", setTo(1));
    const client = sent.mock.contexts[0] as Redis;
    const { evalsha } = client;
    client.evalsha = (async (...args: Parameters<typeof evalsha>) => {
      await evalsha.apply(client, args);
      return evalsha.apply(client, args);
    }) as typeof evalsha;
    expect((await counters.update("twice", increment)).value).toEqual({ count: 2 });
    expect((await counters.get("twice")).value).toEqual({ count: 2 });
  });

  test("neither errors nor logs carry a document or a password", async () => {
    const { counters, store } = openCounted();
    const client = new Redis(redis().url);
    onTestFinished(() => client.disconnect());
    await client.config("SET", "maxmemory", "1");
    onTestFinished(async () => void (await client.config("SET", "maxmemory", "0")));
    const error: unknown = await counters
      .update("full", () => ({ set: { count: 1, note: "hunter2" } }), absent)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    const { cause } = error as Error;
    expect(JSON.stringify([error, cause, { ...(cause as Error) }])).not.toContain("hunter2");
    expect(store.capabilities).toEqual({ atomic: "cluster", changes: "pushed", ttl: "native" });
  });
});

test("a key segment names the same id, whichever type it has", () => {
  expect(toKeySegment(7)).toBe(toKeySegment("7"));
  expect(toKeySegment("a-b_9")).toBe("a-b_9");
  expect(toKeySegment("A")).toMatch(/^=[0-9a-f]{64}$/);
});

/** The least that unstorage's http driver talks to. @returns its address */
async function startFileServer(): Promise<string> {
  const files = new Map<string | undefined, Buffer>();
  const server = createServer(async (request, response) => {
    const { method, url } = request;
    if (method === "PUT") files.set(url, await buffer(request));
    if (method === "DELETE") files.delete(url);
    const isMissing = (method === "GET" || method === "HEAD") && !files.has(url);
    response.writeHead(isMissing ? 404 : 200).end(method === "GET" ? files.get(url) : undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

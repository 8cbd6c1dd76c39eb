import { execFile } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { absent } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { increment, openCounters, setTo, until } from "../../_documents.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { compileStorage } from "../../_compiled.ts";

describeWithRedis("several processes on one Redis", () => {
  const redis = useRedis();
  const openClient = () => openDriver({ driver: "redis", url: redis().url });

  test("lose no parallel update of one document", async () => {
    const stores = Array.from({ length: 4 }, () => openCounters(openClient()).counters);
    const updates = stores.map((counters) =>
      Array.from({ length: 100 }, () => counters.update("shared", increment)),
    );
    await Promise.all(updates.flat());
    expect((await stores[0]?.get("shared"))?.value).toEqual({ count: 400 });
  });

  test("change a document soon while another process changes it all the time", async () => {
    const [busy, other] = [
      openCounters(openClient()).counters,
      openCounters(openClient()).counters,
    ];
    const over = new AbortController();
    let written = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        await busy.update("contended", increment);
        written++;
      }
    });
    // An update fails after 240 attempts. Each attempt runs the updater once.
    let attempts = 0;
    const counted: typeof increment = (...args) => {
      attempts++;
      return increment(...args);
    };
    let most = 0;
    for (let round = 0; round < 300; round++) {
      attempts = 0;
      await other.update("contended", counted);
      most = Math.max(most, attempts);
    }
    over.abort();
    await Promise.all(writers);
    expect(most).toBeLessThan(80);
    expect((await other.get("contended")).value).toEqual({ count: written + 300 });
  });

  test("give a taken document to one process", async () => {
    const stores = Array.from({ length: 4 }, () => openCounters(openClient()).counters);
    for (let round = 0; round < 20; round++) {
      await stores[0]?.update("taken", setTo(round));
      const taken = await Promise.all(stores.map((counters) => counters.take("taken")));
      expect(taken.filter((value) => value !== undefined)).toEqual([{ count: round }]);
    }
  });

  test("lose no update in two operating-system processes", async () => {
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

  async function openCounted() {
    const driver = openDriver({ driver: "redis", url: redis().url });
    const client = (await driver.getInstance?.()) as Redis;
    return { ...openCounters(driver), sent: vi.spyOn(client, "sendCommand") };
  }

  test("sends one command for each operation", async () => {
    const { counters, sent } = await openCounted();
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

  test("sends commands of one event-loop iteration in one write, without waiting for earlier replies", async () => {
    const driver = openDriver({ driver: "redis", url: redis().url });
    const { counters } = openCounters(driver);
    await counters.update("a", setTo(1));
    const client = (await driver.getInstance?.()) as Redis;
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

  test("sends a script again if Redis doesn't have it", async () => {
    const { counters, sent } = await openCounted();
    await counters.update("a", setTo(1));
    const client = new Redis(redis().url);
    await client.script("FLUSH");
    client.disconnect();
    sent.mockClear();
    await counters.update("a", increment, await counters.get("a"));
    expect(sent.mock.calls.map(([command]) => command.name)).toEqual(["get", "evalsha", "eval"]);
    expect((await counters.get("a")).value).toEqual({ count: 2 });
  });

  test("stores documents under the driver's keys, and lets Redis expire them", async () => {
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

  test("applies a write once if the client sends it twice", async () => {
    const { counters, sent } = await openCounted();
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

  test("puts no document and no password into errors and logs", async () => {
    const { counters, store } = await openCounted();
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

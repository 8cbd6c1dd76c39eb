import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Driver } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DocumentStore } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createRedisKeys } from "../../../storage/redis/redis-client.ts";
import { until } from "../../_documents.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import { setForward } from "../../_stopped-clock.ts";
import { startTcpProxy } from "../../_tcp-proxy.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { twinAt } from "../../fixtures/clients.ts";

const storageAt = (url: string) => ({ session: { driver: "redis", url, base: "bound" } });
const isNumber = (value: unknown) => typeof value === "number";

function open(driver: Driver): DocumentStore {
  const store = openDocumentStore(driver, createTestLog());
  onTestFinished(() => store.close());
  return store;
}

test("keys of commands and keys in Redis match", () => {
  const keys = createRedisKeys("a/b:", "shop:");
  expect(keys.toCommand("session:1")).toBe("a:b:session:1");
  expect(keys.toServer("session:1")).toBe("shop:a:b:session:1");
  expect(keys.fromServer("shop:a:b:session:1")).toBe("session:1");
  expect(createRedisKeys(undefined, Buffer.from("p:")).toServer("x")).toBe("p:x");
});

describeWithRedis("changes in Redis", () => {
  const redis = useRedis();
  const url = () => redis().url;

  describe.each([
    ["no options", {}],
    ["base", { base: "front" }],
    ["keyPrefix", { keyPrefix: "shop:" }],
    ["base and keyPrefix", { base: "front", keyPrefix: "shop:" }],
    ["db", { db: 3 }],
    ["base, keyPrefix and db", { base: "front:", keyPrefix: "shop:", db: 3 }],
    ["a keyPrefix that is the start of a base", { base: "session", keyPrefix: "session" }],
    ["stringNumbers", { stringNumbers: true }],
  ])("with %s", (_, options) => {
    test.each([
      ["by name", () => openDriver({ driver: "redis", url: url(), ...options })],
      ["as a driver object", () => redisDriver({ url: url(), ...options })],
    ])("reach another process under their own path, %s", async (_name, openOne) => {
      const [one, two] = [open(openOne()), open(openOne())];
      const numbers = one.collection("session", isNumber);
      const feed = two.watch("session");
      const told: unknown[] = [];
      feed.listen((path) => told.push(path));
      await until(async () => feed.isUp());
      told.length = 0;
      await numbers.update("1:a", () => ({ set: 1 }));
      await one.collection("other", isNumber).update("1:a", () => ({ set: 1 }));
      await numbers.take("1:a");
      await until(async () => told.length >= 2);
      expect(told).toEqual(["session:1:a", "session:1:a"]);
      expect((await two.collection("session", isNumber).get("1:a")).value).toBeUndefined();
    });
  });

  test("arrive after Redis was busy when the feed began", async () => {
    const control = new Redis(url());
    onTestFinished(() => control.disconnect());
    const store = open(openDriver({ driver: "redis", url: url(), base: "busy" }));
    const feed = store.watch("session");
    await until(async () => feed.isUp());
    const script = new Redis(url());
    onTestFinished(() => script.disconnect());
    await control.config("SET", "lua-time-limit", "100");
    const running = script.eval("while true do end", 0).catch(() => {});
    await sleep(200);
    await until(async () => !feed.isUp());
    await control.script("KILL" as "FLUSH");
    await running;
    await until(async () => feed.isUp());
  });

  test("count as lost within a second if the connection falls silent", async () => {
    const proxy = await startTcpProxy(redis().port);
    const store = open(openDriver({ driver: "redis", url: proxy.url, base: "silent" }));
    const feed = store.watch("session");
    await until(async () => feed.isUp());
    expect(proxy.silence((sent) => sent.includes("TRACKING"))).toBe(1);
    setForward(1000);
    expect(feed.isUp()).toBe(false);
    // A new connection replaces it.
    await until(async () => feed.isUp());
  });

  test("don't count as complete after the process was frozen", async () => {
    const store = open(openDriver({ driver: "redis", url: url(), base: "frozen" }));
    const feed = store.watch("session");
    await until(async () => feed.isUp());
    const wakesAt = Date.now() + 1100;
    while (Date.now() < wakesAt);
    expect(feed.isUp()).toBe(false);
    await until(async () => feed.isUp());
  });
});

describeWithRedis("two servers on one Redis", () => {
  const redis = useRedis();
  const setup = createSetup("redis", "request", () => ({ driver: "redis", url: redis().url }));

  test("respond to an ended session as to a guest within a second, although the feed is silent", async () => {
    const proxy = await startTcpProxy(redis().port);
    const methods = testMethods;
    const a = (await setup.start({ methods, storage: storageAt(redis().url) })).client();
    const second = await setup.start({ methods, storage: storageAt(proxy.url) });
    await a.call("enter", { id: 7 });
    const b = twinAt(second, a);
    await b.call("getUser");
    expect((await b.call("getUser")).body.user).toMatchObject({ id: 7 });
    proxy.silence((sent) => sent.includes("TRACKING"));
    await a.call("logout");
    setForward(1000);
    expect((await b.call("getUser")).body.user).toBeUndefined();
  });
});

import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { createReadiness } from "../../server/health.ts";
import { createTestClock } from "../../server/testing/test-clock.ts";
import { openDocumentStore } from "../../storage/store.ts";
import { until } from "../_documents.ts";
import { createFaultyDriver } from "../_faulty-driver.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { startServerProcess } from "../_process.ts";
import { describeWithRedis, startRedis } from "../_redis.ts";
import { createSetup } from "../_setup.ts";

describe("the readiness of storages", () => {
  test("gets one check per second for all callers", async () => {
    let pings = 0;
    const clock = createTestClock();
    const check = createReadiness(async () => void pings++, clock);
    await Promise.all(Array.from({ length: 100 }, check));
    await check();
    expect(pings).toBe(1);
    await clock.advance(0.9);
    await check();
    expect(pings).toBe(1);
    await clock.advance(0.1);
    await check();
    expect(pings).toBe(2);
  });

  test("fails while a driver rejects writes", async () => {
    const faulty = createFaultyDriver();
    const store = openDocumentStore(faulty.driver, createTestLog());
    onTestFinished(() => store.close());
    await store.ping();
    faulty.before = ({ kind }) => {
      if (kind !== "read") throw new Error("the disk is full");
    };
    await expect(store.ping()).rejects.toThrow("failed to accept a test write");
  });
});

describeWithRedis("/readyz", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each([
    ["is full", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
    ["is a read-only copy", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
    [
      "lets its user run no scripts",
      ["ACL", "SETUSER", "default", "-@scripting"],
      ["ACL", "SETUSER", "default", "+@all"],
    ],
  ])("responds with 503 while Redis %s, and with 200 afterwards", async (_, refuse, allow) => {
    setup.allowErrors();
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const control = new Redis(redis.url);
    onTestFinished(() => control.disconnect());
    const session = { driver: "redis", url: redis.url };
    const { send } = await setup.start({ storage: { session } });
    const status = async () => (await send("/readyz", {})).status;
    expect(await status()).toBe(200);
    await control.call(refuse[0] as string, ...refuse.slice(1));
    await until(async () => (await status()) === 503);
    expect((await send("/healthz", {})).status).toBe(200);
    await control.call(allow[0] as string, ...allow.slice(1));
    await until(async () => (await status()) === 200);
  });

  test("responds with 503 after a start on a full Redis, and the server warns and serves", async () => {
    const redis = await startRedis({ args: ["--maxmemory", "1"] });
    onTestFinished(() => redis.stop());
    const server = await startServerProcess(redis.url);
    onTestFinished(() => server.kill());
    expect((await server.send("/readyz", {})).status).toBe(503);
    expect((await server.client().call("getUser")).status).toBe(200);
    await until(async () => server.output.includes("A storage cannot be used"));
  });
});

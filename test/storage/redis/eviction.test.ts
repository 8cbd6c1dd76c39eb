import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { diagnose } from "../../../server/config/doctor.ts";
import type { LogLine } from "../../../server/testing/test-log.ts";
import { describeWithRedis, startRedis, type TestRedis } from "../../_redis.ts";
import { createSetup, testConfig, testSecret } from "../../_setup.ts";

const policies = ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl"];

describeWithRedis("a Redis that evicts keys", () => {
  let redis: TestRedis;
  let control: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    control = new Redis(redis.url);
  });
  afterAll(async () => {
    control.disconnect();
    await redis.stop();
  });
  const storage = () => ({ driver: "redis", url: redis.url, base: randomUUID() });
  const { start, allowErrors } = createSetup("redis", "request", storage);

  test.each(policies)("causes a warning at startup if its policy is %s", async (policy) => {
    await control.config("SET", "maxmemory-policy", policy);
    const { lines, client } = await start();
    await client().call("getUser");
    await expect.poll(() => lines.filter(isWarning)).toHaveLength(1);
    expect(lines.find(isWarning)?.details).toEqual({
      found: policy,
      expected: "maxmemory-policy noeviction",
    });
  });

  test("causes a warning when the policy changes and the client reconnects", async () => {
    allowErrors();
    await control.config("SET", "maxmemory-policy", "noeviction");
    const { lines, client } = await start();
    await client().call("getUser");
    await control.config("SET", "maxmemory-policy", "volatile-lru");
    await control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await expect.poll(() => lines.filter(isWarning)).toHaveLength(1);
    await control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await client().call("getUser");
    expect(lines.filter(isWarning)).toHaveLength(1);
  });

  test("causes no warning if it evicts no keys", async () => {
    await control.config("SET", "maxmemory-policy", "noeviction");
    const { lines, client } = await start();
    await client().call("note", {});
    await client().call("login", { email: "ada@example.com", password: "wrong" });
    expect(lines.filter(isWarning)).toEqual([]);
  });

  test.each(policies)("causes an error of the doctor with the policy %s", async (policy) => {
    await control.config("SET", "maxmemory-policy", policy);
    const config = testConfig({ storage: { session: { driver: "redis", url: redis.url } } });
    const findings = await diagnose({ ...config, session: { secret: testSecret } });
    const found = findings.filter(({ code }) => code === "SF703");
    expect(found).toMatchObject([{ severity: "error", path: "storage.session", found: policy }]);
  });
});

// --- Internal helpers ---

function isWarning({ level, message }: LogLine): boolean {
  return level === "warn" && message === "Redis evicts keys when its memory is full";
}

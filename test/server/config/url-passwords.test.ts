import { describe, expect, test } from "vitest";
import { createStorefront } from "../../../server/storefront.ts";
import { describeError, messageOf } from "../../../shared/log.ts";
import { refuse } from "../../_bad-config.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testConfig } from "../../_setup.ts";

const password = "zqjxvkwp";

describe("createStorefront", () => {
  test.each([
    `redis://:${password}@localhost:port`,
    `redis//:${password}@localhost`,
    `redis:/:${password}@localhost`,
    `rediss://:${password}@`,
  ])("rejects an invalid Redis address, and does not show its password: %s", (url) => {
    for (const options of [{ url }, { cluster: [url] }]) {
      const storage = { session: { driver: "redis", ...options } };
      const { faults, message } = refuse(testConfig({ storage }));
      expect(faults.map(({ path }) => path)).toEqual([
        `storage.session.${Object.keys(options)[0]}`,
      ]);
      expect(message).toContain("redis://redis.example:6379");
      expect(message).not.toContain(password);
    }
  });

  test.each([
    `redis://:${password}@localhost:6379/1`,
    `rediss://user:${password}@redis.example`,
    `:${password}@localhost:6379`,
    "redis://localhost",
    "localhost:6379",
    "/run/redis.sock",
    "6379",
  ])("accepts the Redis address %s", async (url) => {
    const { log } = createTestLog();
    const storage = { session: { driver: "redis", url, lazyConnect: true } };
    await createStorefront(testConfig({ log, storage }), { production: false }).close();
  });
});

test("describeError and messageOf remove the password of a URL", () => {
  const cause = new Error(`cannot use http://user:${password}@storage.example/a`);
  const error = new Error(`redis://:${password}@localhost:1 does not answer`, { cause });
  expect(describeError(error)).toContain("redis://:[redacted]@localhost:1 does not answer");
  expect(describeError(error)).toContain("http://user:[redacted]@storage.example/a");
  expect(describeError(error)).not.toContain(password);
  expect(messageOf(error)).toBe("redis://:[redacted]@localhost:1 does not answer");
});

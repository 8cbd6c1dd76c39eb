import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import type { Counters } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { systemClock, type Clock } from "../../../storage/clock.ts";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

describe("counters · memory", () => {
  testAttempts(() => ({ driver: "memory" }));

  test("expire with their window, which begins with the first addition", async () => {
    const clock = createTestClock();
    const counters = open({ driver: "memory" }, clock);
    expect(await counters.add("a")).toEqual({ count: 1, endsIn: 60 });
    await clock.advance(58.5);
    expect(await counters.add("a")).toEqual({ count: 2, endsIn: 2 });
    await clock.advance(1.499);
    expect(await counters.read("a")).toEqual({ count: 2, endsIn: 1 });
    await clock.advance(0.001);
    expect(await counters.read("a")).toEqual({ count: 0, endsIn: 0 });
    expect(await counters.add("a")).toEqual({ count: 1, endsIn: 60 });
  });
});

describeWithRedis("counters · redis", () => {
  const redis = useRedis();
  testAttempts(() => ({ driver: "redis", url: redis().url, base: randomUUID() }));

  test("count for all stores on one Redis, and parallel additions get different counts", async () => {
    const storage = { driver: "redis", url: redis().url, base: randomUUID() };
    const stores = [open(storage), open(storage), open({ ...storage, base: randomUUID() })];
    const adding = Array.from({ length: 60 }, (_, index) => stores[index % 3]?.add("a"));
    const counts = (await Promise.all(adding)).map((state) => state?.count);
    const apart = (isApart: boolean) =>
      counts.filter((_, index) => (index % 3 === 2) === isApart).toSorted((a = 0, b = 0) => a - b);
    expect(apart(false)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(apart(true)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
});

// --- Internal helpers ---

/** Attempts of a store of their own, which count for 60 seconds. */
function open(storage: StorageConfig, clock: Clock = systemClock): Counters {
  const store = openDocumentStore(openDriver(storage), { ...createTestLog(), clock });
  onTestFinished(() => store.close());
  return store.counters("counters", 60);
}

function testAttempts(storage: () => StorageConfig): void {
  test("count by key, subtract one, and clear", async () => {
    const counters = open(storage());
    expect(await counters.read("a")).toEqual({ count: 0, endsIn: 0 });
    for (const count of [1, 2, 3]) expect(await counters.add("a")).toEqual({ count, endsIn: 60 });
    expect(await counters.add("b")).toMatchObject({ count: 1 });
    await counters.takeBack("a");
    expect(await counters.read("a")).toEqual({ count: 2, endsIn: 60 });
    await counters.clear("a");
    await counters.clear("a");
    await counters.takeBack("a");
    expect(await counters.read("a")).toEqual({ count: 0, endsIn: 0 });
    expect(await counters.read("b")).toMatchObject({ count: 1 });
  });
}

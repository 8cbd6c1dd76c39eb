import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Driver } from "unstorage";
import createKvDriver from "unstorage/drivers/cloudflare-kv-binding";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { createDirectory, openCounters, setTo, slowDown, until } from "../../_documents.ts";

afterEach(() => {
  vi.useRealTimers();
});

const second = 1000;
const start = new Date(1_000_000 * second);

describe("expired documents", () => {
  test("disappear without a read", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    for (let count = 0; count < 1000; count++) {
      await counters.update(`short-${count}`, setTo(count, clock.now() + 60 * second));
    }
    await counters.update("long", setTo(1, clock.now() + 3600 * second));
    await counters.update("endless", setTo(1));
    await clock.advance(59);
    expect(await driver.getKeys("", {})).toHaveLength(1002);
    await clock.advance(15);
    const left = await driver.getKeys("", {});
    expect(left.toSorted()).toEqual(["counter:1:endless", "counter:1:long"]);
  });

  test("stay while they are extended, and are removed afterwards", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    for (let minute = 0; minute < 5; minute++) {
      await counters.update("a", setTo(minute, clock.now() + 90 * second));
      await clock.advance(60);
    }
    expect((await counters.get("a")).value).toEqual({ count: 4 });
    await clock.advance(120);
    expect(await driver.getKeys("", {})).toEqual([]);
  });

  test("need one read after an extension, not one per sweep", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    await counters.update("a", setTo(1, clock.now() + second));
    await counters.update("a", setTo(2, clock.now() + 3600 * second));
    const read = vi.spyOn(driver, "getItemRaw");
    await clock.advance(60);
    expect(read).toHaveBeenCalledTimes(1);
  });

  test("disappear earlier after a shorter lifetime", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    await counters.update("a", setTo(1, clock.now() + 3600 * second));
    await counters.update("a", setTo(1, clock.now() + 5 * second));
    await clock.advance(15);
    expect(await driver.getKeys("", {})).toEqual([]);
  });

  test("disappear after the longest timer delay, not immediately", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    await counters.update("a", setTo(1, clock.now() + 2 ** 31 + 60_000));
    await clock.advance(10);
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });

  test("disappear after a restart too, and no other documents do", async () => {
    const base = await createDirectory();
    const earlier = openCounters(openDriver({ driver: "fs", base }));
    await earlier.counters.update("short", setTo(1, Date.now() + 60 * second));
    await earlier.counters.update("long", setTo(1, Date.now() + 3600 * second));
    await earlier.store.close();
    await writeFile(join(base, "foreign"), "not ours");
    const clock = createTestClock(new Date(Date.now() + 120 * second));
    await openCounters(openDriver({ driver: "fs", base }), clock).store.ready();
    await until(async () => {
      await clock.advance(1);
      return !(await readdir(join(base, "counter", "1"))).includes("short");
    });
    expect(await readdir(join(base, "counter", "1"))).toEqual(["long"]);
    expect(await readdir(base)).toEqual(expect.arrayContaining(["foreign"]));
  });

  test("stay while a call extends them", async () => {
    const clock = createTestClock(start);
    const { counters } = openCounters(slowDown(openDriver({ driver: "memory" }), clock), clock);
    for (let head = 0; head < 12; head++) {
      await clock.advance(10 - ((clock.now() / second) % 10));
      const expiring = counters.update("a", setTo(1, clock.now() + second));
      await clock.advance(10 - head / second);
      await expiring;
      const renewing = counters.update("a", setTo(2, clock.now() + 3600 * second));
      await clock.advance(0.1);
      await renewing;
      const reading = counters.get("a");
      await clock.advance(0.1);
      expect((await reading).value).toEqual({ count: 2 });
    }
  });

  test("disappear later if the storage fails first", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    await counters.update("a", setTo(1, clock.now() + second));
    const { removeItem } = driver;
    driver.removeItem = () => Promise.reject(new Error("down"));
    await clock.advance(15);
    driver.removeItem = removeItem as NonNullable<Driver["removeItem"]>;
    await clock.advance(90);
    expect(await driver.getKeys("", {})).toEqual([]);
  });

  test("disappear even among many unexpired documents", async () => {
    const driver = openDriver({ driver: "memory" });
    const { counters, clock } = openWithClock(driver);
    for (let count = 0; count < 30_000; count++) {
      await counters.update(`long-${count}`, setTo(count, clock.now() + 3600 * second));
    }
    await counters.update("short", setTo(1, clock.now() + 60 * second));
    // A sweep visits a tenth of the documents, and a jump of the clock has one sweep.
    for (let passed = 0; passed < 75; passed++) await clock.advance(1);
    expect(await driver.hasItem("counter:1:short", {})).toBe(false);
    expect(await driver.getKeys("", {})).toHaveLength(30_000);
  });

  test("don't block the process, however many expire at the same time", async () => {
    const longest: number[] = [];
    for (let round = 0; round < 3; round++) {
      const driver = openDriver({ driver: "memory" });
      const { counters, store } = openCounters(driver);
      vi.useFakeTimers({ toFake: ["Date"] });
      for (let count = 0; count < 50_000; count++) {
        await counters.update(`a-${count}`, setTo(count, Date.now() + 3600 * second));
      }
      vi.setSystemTime(Date.now() + 7200 * second);
      longest.push(await longestTick(async () => (await driver.getKeys("", {})).length === 0));
      await store.close();
      vi.useRealTimers();
    }
    expect(Math.min(...longest)).toBeLessThan(30);
  });
});

/** Milliseconds of CPU time of the longest tick of the event loop, until `isDone`, which runs ten times a second. */
async function longestTick(isDone: () => Promise<boolean>): Promise<number> {
  let longest = 0;
  for (;;) {
    const end = performance.now() + 100;
    while (performance.now() < end) {
      const before = process.cpuUsage();
      await setImmediate();
      const { user, system } = process.cpuUsage(before);
      longest = Math.max(longest, (user + system) / 1000);
    }
    if (await isDone()) return longest;
  }
}

function openWithClock(driver: Driver) {
  const clock = createTestClock(start);
  return { ...openCounters(driver, clock), clock };
}

test("Cloudflare KV removes expired documents, and is never listed", async () => {
  const values = new Map<string, string>();
  const lives: (number | undefined)[] = [];
  const binding = {
    get: async (key: string) => values.get(key) ?? null,
    delete: async (key: string) => void values.delete(key),
    async put(key: string, text: string, { expirationTtl }: { expirationTtl?: number } = {}) {
      values.set(key, text);
      lives.push(expirationTtl);
    },
  };
  const { counters } = openCounters(createKvDriver({ binding: binding as never, base: "s" }));
  await counters.update("a", setTo(1, Date.now() + 1000));
  await counters.update("a", setTo(2, Date.now() + 90_000));
  await counters.update("a", setTo(3));
  expect(lives).toEqual([60, 90, undefined]);
  expect((await counters.get("a")).value).toEqual({ count: 3 });
});

import createMemoryDriver from "unstorage/drivers/memory";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineStorageDriver } from "../../../storage/index.ts";
import { createTable, openTable } from "../../_shared-table.ts";
import { createFaultyDriver, hold, outage } from "../../_faulty-driver.ts";
import { openCache, ticks } from "./_caches.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("two processes on one storage", () => {
  test("load once if they don't read at the same time, and share refreshed values", async () => {
    const driver = createMemoryDriver();
    const [one, two] = [openCache(driver), openCache(driver)];
    let version = 1;
    const load = vi.fn(() => ({ version }));
    expect(await one.cached("a", 60, load)).toEqual({ version: 1 });
    await ticks(5);
    expect(await two.cached("a", 60, load)).toEqual({ version: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    version = 2;
    for (const { cached } of [one, two]) {
      expect(await cached("a", 60, load)).toEqual({ version: 1 });
      await ticks(10);
    }
    expect(await two.cached("a", 60, load)).toEqual({ version: 2 });
    expect(load).toHaveBeenCalledTimes(2);
  });

  test("share no value if the locale or the currency of the shop has changed", async () => {
    const driver = createMemoryDriver();
    const load = vi.fn(() => 1);
    for (const own of [{}, { locale: "fr-FR" }, { currency: "CHF" }]) {
      await openCache(driver, own).cached("a", 60, load);
      await ticks(5);
    }
    expect(load).toHaveBeenCalledTimes(3);
  });

  test("invalidate for each other", async () => {
    const driver = createMemoryDriver();
    const [one, two] = [openCache(driver), openCache(driver)];
    let version = 1;
    const read = ({ cached }: typeof one) =>
      cached("a", 60, ({ tag }) => {
        tag("a");
        return version;
      });
    expect([await read(one), await read(two)]).toEqual([1, 1]);
    version = 2;
    await one.invalidate(["a"]);
    expect([await read(two), await read(one)]).toEqual([2, 2]);
  });

  test("never use a value that was stored after its invalidation", async () => {
    const faulty = createFaultyDriver();
    const [one, two] = [openCache(faulty.driver), openCache(faulty.driver)];
    await one.cached("other", 60, () => 1);
    await ticks(5);
    const barrier = hold(faulty, "before", "write public-cache:");
    const read = ({ cached }: typeof one, value: number) =>
      cached("a", 60, ({ tag }) => {
        tag("a");
        return value;
      });
    await read(one, 1);
    await barrier.reached;
    await two.invalidate(["a"]);
    barrier.open();
    await ticks(5);
    expect(await read(two, 2)).toBe(2);
    expect(await read(one, 3)).toBe(2);
  });

  test("treat all values as invalid if the document of invalidations is lost", async () => {
    const driver = createMemoryDriver();
    const one = openCache(driver);
    await one.cached("a", 60, () => 1);
    await ticks(5);
    await driver.removeItem?.("public-cache-tags:1001", {});
    expect(await openCache(driver).cached("a", 60, () => 2)).toBe(2);
  });

  test("store at most 2,048 documents of 128 KiB, with an expiry", async () => {
    const { driver, stored } = createFaultyDriver();
    const { cached } = openCache(driver);
    for (let key = 0; key < 3000; key++) await cached(`key ${key}`, 60, () => key);
    await cached("large", 60, () => "x".repeat(131_071));
    await ticks(10);
    const values = [...stored()].filter(([key]) => key.startsWith("public-cache:"));
    expect(values.length).toBeGreaterThan(1000);
    expect(values.length).toBeLessThanOrEqual(2048);
    for (const [, text] of values) {
      const { expiresAt } = JSON.parse(text) as { expiresAt: number };
      expect(expiresAt - Date.now()).toBeLessThanOrEqual(120_000);
      expect(text).not.toContain("xxx");
    }
  });
});

describe("two processes on a storage that pushes no changes", () => {
  test("read the invalidations each time, with one command, and use their memory otherwise", async () => {
    const table = createTable();
    const { watch: _, ...adapter } = openTable(table);
    const open = () =>
      openCache(
        defineStorageDriver({
          name: "table",
          atomic: "cluster",
          createAdapter: () => ({
            ...adapter,
            capabilities: { atomic: "cluster", changes: "unheard", ttl: "stored" },
          }),
        }),
      );
    const [one, two] = [open(), open()];
    let version = 1;
    const read = ({ cached }: typeof one) =>
      cached("a", 60, ({ tag }) => {
        tag("a");
        return version;
      });
    for (const each of [one, two]) await read(each);
    await ticks(5);
    const before = table.reads;
    for (let count = 0; count < 10; count++) expect(await read(two)).toBe(1);
    expect(table.reads - before).toBe(10);
    version = 2;
    await one.invalidate(["a"]);
    expect([await read(two), await read(one)]).toEqual([2, 2]);
  });
});

describe("while the storage fails", () => {
  test("a read loads, and later reads use the memory of the process", async () => {
    const faulty = createFaultyDriver();
    const { cached } = openCache(faulty.driver);
    faulty.before = outage;
    const load = vi.fn(() => 1);
    expect(await cached("a", 60, load)).toBe(1);
    expect(await cached("a", 60, load)).toBe(1);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("invalidate fails, and removes the values in the memory of its process", async () => {
    const faulty = createFaultyDriver();
    const { cached, invalidate } = openCache(faulty.driver);
    const read = (value: number) =>
      cached("a", 60, ({ tag }) => {
        tag("a");
        return value;
      });
    faulty.before = outage;
    await read(1);
    await expect(invalidate(["a"])).rejects.toMatchObject({ name: "StorageUnavailableError" });
    expect(await read(2)).toBe(2);
  });

  test("one read waits for it, and later ones don't, until it works again", async () => {
    const faulty = createFaultyDriver();
    const { cached } = openCache(faulty.driver);
    let waits = 0;
    faulty.before = async () => {
      waits++;
      await sleep(20);
      throw new Error("The driver is out of order");
    };
    for (let key = 0; key < 20; key++) await cached(`key ${key}`, 60, () => key);
    expect(waits).toBeLessThanOrEqual(2);
    faulty.heal();
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 2000);
    // A value that was loaded without the storage can lack an invalidation.
    await vi.waitFor(async () => expect(await cached("key 1", 60, () => "new")).toBe("new"));
    expect([...faulty.stored().keys()]).toContain("public-cache-tags:1001");
  });
});

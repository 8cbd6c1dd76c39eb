import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "unstorage";
import { describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { createDirectory, increment, openCounters, setTo } from "../../_documents.ts";

describe("a storage that fails", () => {
  const secret = "redis://admin:hunter2@db.internal";
  const fail = () => Promise.reject(new Error(secret));

  test("causes an error without the driver's text", async () => {
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

  // The fs drivers return the errors of reads and removals; other drivers throw them.
  test("causes an error if the driver returns its errors", async () => {
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

  test("fails immediately if it can't write", async () => {
    const driver = openDriver({ driver: "fs", base: await createDirectory(), readOnly: true });
    expect(() => openCounters(driver)).toThrow(TypeError);
    const { getItem, getKeys, hasItem } = openDriver({ driver: "memory" });
    expect(() => openCounters({ getItem, getKeys, hasItem })).toThrow(TypeError);
  });

  // fs writes in place, so a parallel read finds an empty or incomplete file.
  test("gets another read after half a document", async () => {
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

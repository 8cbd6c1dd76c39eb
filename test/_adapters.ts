import { describe, expect, onTestFinished, test } from "vitest";
import type { Driver } from "unstorage";
import { openDriver } from "../storage/open-driver.ts";
import type { StorageConfig } from "../storage/documents/driver.ts";
import { howToInstallPeers, peersInstalled } from "./_peers.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";

/** `describe` for tests that need the programs in `peers/`. Without them, the tests fail in CI and are skipped elsewhere. */
export function describeWithPeers(name: string, body: () => void): void {
  if (peersInstalled) {
    describe(name, body);
  } else if (process.env["CI"]) {
    test(`${name} needs the programs in test/peers`, () => {
      expect.fail(`They are not installed; ${howToInstallPeers}`);
    });
  } else {
    // _global.ts prints the skipped tests, once for all files.
    describe.skip(name, body);
  }
}

/** The same tests in memory and on a Redis; each `createStorage` gives an empty one, for any number of adapters. */
export function describeOnStorages(
  name: string,
  body: (createStorage: () => StorageConfig) => void,
): void {
  describe(`${name}, in memory`, () => body(() => openDriver({ driver: "memory" })));
  describeWithRedis(`${name}, on Redis`, () => {
    const redis = useRedis();
    let count = 0;
    body(() => ({ driver: "redis", url: redis().url, base: `test-${++count}` }));
  });
}

/** All keys and values of a storage, as one string. */
export async function readAll(storage: StorageConfig): Promise<string> {
  const driver = openDriver(storage);
  if (driver !== storage) onTestFinished(() => driver.dispose?.());
  const keys = await driver.getKeys("", {});
  const values = await Promise.all(keys.map((key) => driver.getItem(key)));
  return JSON.stringify([keys, values]);
}

/** A storage whose operations all fail. */
export const brokenDriver: Driver = {
  name: "broken",
  hasItem: refuse,
  getItem: refuse,
  setItem: refuse,
  removeItem: refuse,
  getKeys: refuse,
};

// --- Internal helpers ---

function refuse(): never {
  throw new Error("out of order");
}

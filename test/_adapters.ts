import { describe, expect, onTestFinished, test } from "vitest";
import type { Driver } from "unstorage";
import { openDriver } from "../storage/open-driver.ts";
import type { StorageConfig } from "../storage/documents/driver.ts";
import { howToInstallPeers, peersInstalled } from "./_peers.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";

/** `describe` for what needs the programs in `peers/`: fails in CI where they are missing, and is left out elsewhere. */
export function describeWithPeers(name: string, body: () => void): void {
  if (peersInstalled) {
    describe(name, body);
  } else if (process.env["CI"]) {
    test(`${name} needs the programs in test/peers`, () => {
      expect.fail(`They are not installed; ${howToInstallPeers}`);
    });
  } else {
    // What is left out is said once for all, in _global.ts.
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

/** All that a storage holds, keys and values, as one text. */
export async function readAll(storage: StorageConfig): Promise<string> {
  const driver = openDriver(storage);
  if (driver !== storage) onTestFinished(() => driver.dispose?.());
  const keys = await driver.getKeys("", {});
  const values = await Promise.all(keys.map((key) => driver.getItem(key)));
  return JSON.stringify([keys, values]);
}

/** A storage that is out of order. */
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

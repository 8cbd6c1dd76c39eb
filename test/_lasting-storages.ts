import { randomUUID } from "node:crypto";
import createMemoryDriver from "unstorage/drivers/memory";
import { describe } from "vitest";
import type { StorageConfig } from "../storage/documents/driver.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";

/** Runs the same tests in memory and on Redis. Each test creates a storage, which outlives the servers that use it. */
export function describeLastingStorages(
  name: string,
  tests: (createStorage: () => StorageConfig) => void,
): void {
  describe(`${name} · memory`, () => {
    // A server that stops would clear the memory.
    tests(() => ({ ...createMemoryDriver(), dispose() {} }));
  });
  describeWithRedis(`${name} · redis`, () => {
    const redis = useRedis();
    tests(() => ({ driver: "redis", url: redis().url, base: randomUUID() }));
  });
}

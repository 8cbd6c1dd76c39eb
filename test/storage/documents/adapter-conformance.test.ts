import { afterAll, beforeAll, describe, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { testStorageAdapter } from "../../../storage/adapter-suite.ts";
import { createDirectory } from "../../_documents.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../_redis.ts";

describe("the adapter conformance suite passes on", () => {
  describe.each(["memory", "lru-cache"])("%s", (driver) => {
    testStorageAdapter({ test, createDriver: () => openDriver({ driver }) });
  });

  describe.each(["fs", "fs-lite"])("%s", (driver) => {
    const createDriver = async () => openDriver({ driver, base: await createDirectory() });
    testStorageAdapter({ test, createDriver });
  });

  describeWithRedis("redis", () => {
    const redis = useRedis();
    testStorageAdapter({
      test,
      createDriver: (base) => openDriver({ driver: "redis", url: redis().url, base }),
    });
  });

  describeWithRedis("redis cluster", () => {
    let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    }, 30_000);
    afterAll(() => cluster.stop());

    testStorageAdapter({
      test,
      createDriver: (base) => openDriver({ driver: "redis", cluster: cluster.nodes, base }),
    });
  });
});

import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { toKeySegment } from "../../../storage/documents/key.ts";
import { testDocuments } from "../../_document-tests.ts";
import { createDirectory, slowDown } from "../../_documents.ts";
import { startFileServer } from "../../_file-server.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../_redis.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("memory", () => {
  testDocuments(async () => openDriver({ driver: "memory" }));
});

describe("memory, each result a macrotask later", () => {
  testDocuments(async () => slowDown(openDriver({ driver: "memory" })));
});

describe("lru-cache", () => {
  testDocuments(async () => openDriver({ driver: "lru-cache" }));
});

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  testDocuments(async () => openDriver({ driver, base: await createDirectory() }));
});

describe("http", () => {
  testDocuments(async () => openDriver({ driver: "http", base: (await startFileServer()).url }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testDocuments(async () => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

describeWithRedis("redis cluster", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 30_000);
  afterAll(() => cluster.stop());

  testDocuments(async () =>
    openDriver({ driver: "redis", cluster: cluster.nodes, base: randomUUID() }),
  );
});

test("a key segment is the same for a number and its string", () => {
  expect(toKeySegment(7)).toBe(toKeySegment("7"));
  expect(toKeySegment("a-b_9")).toBe("a-b_9");
  expect(toKeySegment("A")).toMatch(/^=[0-9a-f]{64}$/);
});

import { expect, onTestFinished, test } from "vitest";
import { measureChangeDelay } from "../../../storage/documents/change-delay.ts";
import { openDocumentStore, openDriver, type DocumentStore } from "../../../storage/index.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";

describeWithRedis("the delay of changes", () => {
  test("is that of a push by Redis, which also reports how much of its memory is in use", async () => {
    const store = await open(["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    // Without a push, it is 2.
    expect(await measureChangeDelay(store)).toBeLessThan(2);
    const { memoryUse = 0 } = await store.inspect();
    expect(memoryUse).toBeGreaterThan(0);
    expect(memoryUse).toBeLessThan(0.5);
  });

  test("reaches its maximum if Redis doesn't push a change", async () => {
    const store = await open();
    const deaf: DocumentStore = {
      ...store,
      watch: (prefix) => ({ ...store.watch(prefix), listen() {} }),
    };
    expect(await measureChangeDelay(deaf)).toBe(2);
  });

  test("doesn't end with the report of the store about its own change", async () => {
    const store = await open();
    const half: DocumentStore = {
      ...store,
      watch(prefix) {
        const feed = store.watch(prefix);
        let reports = 0;
        return {
          ...feed,
          listen: (listener) => feed.listen((path) => void (reports++ === 0 && listener(path))),
        };
      },
    };
    expect(await measureChangeDelay(half)).toBe(2);
  });

  test("stays absent if no other process writes", async () => {
    const store = openDocumentStore(openDriver({ driver: "memory" }), createTestLog());
    onTestFinished(() => store.close());
    expect(await measureChangeDelay(store)).toBeUndefined();
    expect((await store.inspect()).memoryUse).toBeUndefined();
  });
});

// --- Internal helpers ---

async function open(args: string[] = []): Promise<DocumentStore> {
  const redis = await startRedis({ args });
  const driver = openDriver({ driver: "redis", url: redis.url });
  const store = openDocumentStore(driver, createTestLog());
  onTestFinished(async () => {
    await store.close();
    await redis.stop();
  });
  return store;
}

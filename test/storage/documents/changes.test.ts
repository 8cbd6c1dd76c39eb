import memoryDriver from "unstorage/drivers/memory";
import { expect, test } from "vitest";
import type { Snapshot } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";

const isNumber = (value: unknown) => typeof value === "number";

test.each([
  ["memory", openDriver({ driver: "memory" })],
  ["memory that others may have", memoryDriver()],
  ["lru-cache", openDriver({ driver: "lru-cache" })],
])(
  "a change in %s notifies immediately, with the new value if no other process can write",
  async (name, driver) => {
    const store = openDocumentStore(driver, createTestLog());
    const numbers = store.collection("session", isNumber);
    const told: [path: string | undefined, value: unknown][] = [];
    store
      .watch("session:")
      .listen((path, current?: Snapshot<unknown>) => told.push([path, current?.value]));
    await numbers.update("one", () => ({ set: 1 }));
    await numbers.update("one", () => ({ set: 2 }));
    await numbers.take("one");
    await store.collection("other", isNumber).update("one", () => ({ set: 3 }));
    const isAlone = name === "memory";
    expect(told).toEqual([
      ["session:one", isAlone ? 1 : undefined],
      ["session:one", isAlone ? 2 : undefined],
      ["session:one", undefined],
    ]);
    await store.close();
  },
);

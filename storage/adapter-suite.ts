/** Tests of a storage adapter: the public entry `storefront-core/storage/testing`. They work with any test runner. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "unstorage";
import { createAdapter } from "./adapters.ts";
import { systemClock } from "./clock.ts";
import type { Expected, StorageAdapter, Swap } from "./documents/adapter.ts";
import type { DocumentStore } from "./documents/documents.ts";
import { toEnvelope } from "./documents/envelope.ts";
import { createKeyedMutex } from "./documents/keyed-mutex.ts";
import { isCount, openDocumentStore } from "./store.ts";

/** Options of {@link testStorageAdapter}. */
export interface StorageAdapterTests {
  /** The `test` function of your test runner, for example of vitest, Jest, or `node:test`. */
  readonly test: (title: string, run: () => Promise<void>) => unknown;
  /**
   * Opens a driver on the storage of this name: letters and digits, new for each test. If drivers are atomic in the
   * `cluster`, two with the same name share their texts, as two processes do.
   */
  readonly createDriver: (name: string) => Driver | Promise<Driver>;
}

/**
 * Registers the tests that every storage adapter must pass.
 *
 * @example
 * import { describe, test } from "vitest";
 *
 * describe("my storage", () => testStorageAdapter({ test, createDriver: openMyDriver }));
 */
export function testStorageAdapter({ test, createDriver }: StorageAdapterTests): void {
  testAdapter("declares its guarantees", async (adapter) => {
    const { capabilities, watch } = adapter;
    assert.ok(["native", "stored"].includes(capabilities.ttl), "ttl is native or stored");
    if (capabilities.atomic === "process") return;
    assert.equal(capabilities.atomic, "cluster");
    assert.equal(capabilities.changes, watch === undefined ? "unheard" : "pushed");
  });

  testAdapter("finds nothing under a new key", async (adapter) => {
    assert.equal(await adapter.read("a"), undefined);
    assert.equal(await adapter.take("a"), undefined);
    for (const expected of [startsWith("a"), equals("a")]) {
      assertRefused(await adapter.swap("a", expected, { text: toText(1) }), undefined);
    }
    assert.deepEqual(await adapter.swap("a", isAbsent, undefined), { swapped: true });
    assert.equal(await adapter.read("a"), undefined);
  });

  testAdapter("swaps a text only if it is as expected", async (adapter) => {
    const [first, second, third] = [toText(1), toText(2), toText(3)] as const;
    const text = third;
    assert.deepEqual(await adapter.swap("a", isAbsent, { text: first }), { swapped: true });
    for (const expected of [isAbsent, startsWith(second.slice(0, 30)), equals(`${first} `)]) {
      assertRefused(await adapter.swap("a", expected, { text }), first);
      assertRefused(await adapter.swap("a", expected, undefined), first);
    }
    const matching = startsWith(first.slice(0, 30));
    assert.deepEqual(await adapter.swap("a", matching, { text: second }), { swapped: true });
    assert.deepEqual(await adapter.swap("a", equals(second), { text }), { swapped: true });
    assert.equal(await adapter.read("a"), third);
    assert.deepEqual(await adapter.swap("a", equals(third), undefined), { swapped: true });
    assert.equal(await adapter.read("a"), undefined);
  });

  testAdapter("compares prefixes literally", async (adapter) => {
    await adapter.swap("a", isAbsent, { text: toText("100 a_b [x]* \\ ?") });
    const prefix = (await adapter.read("a"))?.slice(0, -2) ?? "";
    for (const wild of ["%", "_", "*", "?", "."]) {
      const text = toText(2);
      assert.equal((await adapter.swap("a", startsWith(wild), { text })).swapped, false, wild);
    }
    const { swapped } = await adapter.swap("a", startsWith(prefix), undefined);
    assert.equal(swapped, true);
  });

  testAdapter("returns texts exactly", async (adapter) => {
    const values = ["", "null", "ü🛒\u0000\uD800\u2028", "'\"\\%\n\t", { a: [1, null] }];
    for (const value of [...values, "x".repeat(100_000)]) {
      const text = toText(value);
      assert.deepEqual(await adapter.swap("a", isAbsent, { text }), { swapped: true });
      assert.equal(await adapter.read("a"), text);
      assert.equal(await adapter.take("a"), text);
    }
  });

  testAdapter("distinguishes keys, also long ones", async (adapter) => {
    const hash = `=${"0123456789abcdef".repeat(4)}`;
    const keys = ["a:b", "a:c", "a:-", "a:_", "ab:c", `u:${hash}`, `v:${hash}:${hash}`];
    for (const key of keys) await adapter.swap(key, isAbsent, { text: toText(key) });
    const found = await Promise.all(keys.map((key) => adapter.read(key)));
    const values = found.map((text) => JSON.parse(text ?? "{}").value as unknown);
    assert.deepEqual(values, keys);
  });

  testAdapter("keeps a text that is written again without an end", async (adapter) => {
    const [first, second] = [toText(1, Date.now() + 50), toText(2)];
    await adapter.swap("a", isAbsent, { text: first, expiresAt: Date.now() + 50 });
    // It can be gone already.
    const { swapped } = await adapter.swap("a", equals(first), { text: second });
    if (!swapped) await adapter.swap("a", isAbsent, { text: second });
    await sleep(200);
    assert.equal(await adapter.read("a"), second);
  });

  testAdapter("removes expired texts if its ttl is native", async (adapter) => {
    if (adapter.capabilities.ttl !== "native") return;
    const expiresAt = Date.now() + 50;
    await adapter.swap("a", isAbsent, { text: toText(1, expiresAt), expiresAt });
    await until(async () => (await adapter.read("a")) === undefined);
  });

  testAdapter("moves a text aside only if it is as expected", async (adapter) => {
    assertRefused(await adapter.setAside("a", "{"), undefined);
    for (const text of ["{broken", "{broken again"]) {
      await adapter.swap("a", isAbsent, { text });
      assertRefused(await adapter.setAside("a", "{"), text);
      assert.deepEqual(await adapter.setAside("a", text), { swapped: true });
      assert.equal(await adapter.read("a"), undefined);
    }
  });

  testAdapter("accepts a test write again and again", async (adapter) => {
    await adapter.ping();
    await adapter.ping();
  });

  testStores("loses no parallel update", async (stores) => {
    const counts = stores.map((store) => store.collection("count", isCount));
    const updates = counts.flatMap((documents) =>
      Array.from({ length: 20 }, () => documents.update("a", (count = 0) => ({ set: count + 1 }))),
    );
    await Promise.all(updates);
    for (const documents of counts) {
      assert.equal((await documents.get("a")).value, 20 * stores.length);
    }
  });

  testStores("gives a taken document to one", async (stores) => {
    const counts = stores.map((store) => store.collection("count", isCount));
    for (let round = 1; round <= 5; round++) {
      await counts[0]?.update("a", () => ({ set: round }));
      const takes = counts.flatMap((documents) => [documents.take("a"), documents.take("a")]);
      const taken = (await Promise.all(takes)).filter((value) => value !== undefined);
      assert.deepEqual(taken, [round]);
    }
  });

  testStores("counts each attempt once", async (stores) => {
    const all = stores.map((store) => store.counters("count", 60));
    const adds = all.flatMap((counters) => [counters.add("a"), counters.add("a")]);
    const counts = (await Promise.all(adds)).map(({ count }) => count);
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      counts.map((_, index) => index + 1),
    );
    await all[0]?.takeBack("a");
    const { count, endsIn } = (await all.at(-1)?.read("a")) ?? {};
    assert.equal(count, counts.length - 1);
    assert.ok(endsIn !== undefined && endsIn > 0 && endsIn <= 60, "a count ends with its window");
    await all[0]?.clear("a");
    assert.equal((await all.at(-1)?.read("a"))?.count, 0);
  });

  testStores("pushes the changes of other processes if it says so", async ([one, two]) => {
    const capabilities = one?.capabilities;
    if (capabilities?.atomic !== "cluster" || capabilities.changes !== "pushed") return;
    const changed: (string | undefined)[] = [];
    const feed = one?.watch("count");
    feed?.listen((path) => changed.push(path));
    await until(async () => feed?.isUp() === true);
    const counts = two?.collection("count", isCount);
    const others = two?.collection("other", isCount);
    for (const change of [
      () => counts?.update("a", () => ({ set: 1 })),
      () => counts?.update("a", () => "remove"),
      () => counts?.update("b", () => ({ set: 1 })),
      () => counts?.take("b"),
    ]) {
      changed.length = 0;
      await others?.update("a", () => ({ set: 1 }));
      await change();
      await until(async () => changed.length > 0);
      assert.ok(!changed.includes("other:a"), "a feed is for one prefix");
    }
  });

  /** Runs with one adapter on a new storage. */
  function testAdapter(title: string, run: (adapter: StorageAdapter) => Promise<void>): void {
    test(title, async () => {
      const driver = await createDriver(createName());
      const adapter = createAdapter(driver, createKeyedMutex(), {
        log: silent,
        clock: systemClock,
      });
      try {
        await run(adapter);
      } finally {
        await adapter.close();
      }
    });
  }

  /** Runs with two stores on a new storage, or with one if the storage is for one process. */
  function testStores(title: string, run: (stores: readonly DocumentStore[]) => Promise<void>) {
    test(title, async () => {
      const name = createName();
      const stores = [openDocumentStore(await createDriver(name), { log: silent })];
      try {
        if (stores[0]?.capabilities.atomic === "cluster") {
          stores.push(openDocumentStore(await createDriver(name), { log: silent }));
        }
        await run(stores);
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
    });
  }
}

// --- Internal helpers ---

const nothing = () => {};
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const isAbsent: Expected = { match: "absent", text: "" };

function startsWith(text: string): Expected {
  return { match: "prefix", text };
}

function equals(text: string): Expected {
  return { match: "exact", text };
}

/** A document as the store writes it. */
function toText(value: unknown, expiresAt?: number): string {
  return toEnvelope(JSON.stringify(value), expiresAt).text;
}

function createName(): string {
  return randomUUID().replaceAll("-", "");
}

function assertRefused(swap: Swap, current: string | undefined): void {
  assert.equal(swap.swapped, false);
  assert.equal("current" in swap ? swap.current : undefined, current);
}

/** Waits up to four seconds. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 4000;
  while (!(await isDone())) {
    if (Date.now() > deadline) assert.fail("It did not happen within 4 seconds");
    await sleep(10);
  }
}

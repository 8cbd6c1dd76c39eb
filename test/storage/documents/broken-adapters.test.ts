import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineStorageDriver, type Expected, type StorageAdapter } from "../../../storage/index.ts";
import { testStorageAdapter } from "../../../storage/adapter-suite.ts";
import { createTable, isExpected, openTable, type Table } from "../../_shared-table.ts";

type Break = (adapter: StorageAdapter, table: Table) => Partial<StorageAdapter>;

test("the conformance suite accepts a correct adapter", async () => {
  expect(await findFailures(() => ({}))).toEqual([]);
});

test.concurrent.each<[string, Break, string]>([
  [
    "swaps whatever is stored",
    (_, { texts }) => ({
      swap: async (key, __, next) => {
        if (next === undefined) texts.delete(key);
        else texts.set(key, next.text);
        return { swapped: true };
      },
    }),
    "swaps a text only if it is as expected",
  ],
  [
    "compares and then writes in two steps",
    ({ read, swap }) => ({
      swap: async (key, expected, next) => {
        const current = await read(key);
        await setImmediate();
        if (!isExpected(current, expected)) return { swapped: false, current };
        await swap(key, toExact(await read(key)), next);
        return { swapped: true };
      },
    }),
    "loses no parallel update",
  ],
  [
    "takes % for a wildcard",
    ({ swap }) => ({
      swap: (key, expected, next) =>
        swap(key, expected.text === "%" ? { match: "prefix", text: "" } : expected, next),
    }),
    "compares prefixes literally",
  ],
  ["leaves what it takes", ({ read }) => ({ take: read }), "gives a taken document to one"],
  [
    "moves aside whatever is stored",
    (_, { texts }) => ({
      setAside: async (key) => {
        texts.delete(key);
        return { swapped: true };
      },
    }),
    "moves a text aside only if it is as expected",
  ],
  [
    "trims texts",
    ({ read }) => ({ read: async (key) => (await read(key))?.replaceAll("\\n", "") }),
    "returns texts exactly",
  ],
  [
    "cuts keys",
    ({ read }) => ({ read: (key) => read(key.slice(0, 2)) }),
    "distinguishes keys, also long ones",
  ],
  [
    "pushes nothing",
    () => ({ watch: () => ({ isUp: () => true, close: () => {} }) }),
    "pushes the changes of other processes if it says so",
  ],
  [
    "pushes changes and says that it does not",
    ({ capabilities }) => ({
      capabilities: { ...capabilities, atomic: "cluster", changes: "unheard" },
    }),
    "declares its guarantees",
  ],
])(
  "the conformance suite rejects an adapter that %s",
  async (_, broken, title) => {
    expect(await findFailures(broken)).toContain(title);
  },
  20_000,
);

// --- Internal helpers ---

/** Runs the suite without a test runner. @returns the titles of the tests that fail */
async function findFailures(broken: Break): Promise<string[]> {
  const tables = new Map<string, Table>();
  const tests: [title: string, run: () => Promise<void>][] = [];
  testStorageAdapter({
    test: (title, run) => tests.push([title, run]),
    createDriver(name) {
      const table = tables.get(name) ?? createTable();
      tables.set(name, table);
      const adapter = openTable(table);
      const createAdapter = () => ({ ...adapter, ...broken(adapter, table) });
      return defineStorageDriver({ name: "table", atomic: "cluster", createAdapter });
    },
  });
  const results = await Promise.allSettled(tests.map(([, run]) => run()));
  return tests.map(([title]) => title).filter((_, index) => results[index]?.status === "rejected");
}

function toExact(text: string | undefined): Expected {
  return text === undefined ? { match: "absent", text: "" } : { match: "exact", text };
}

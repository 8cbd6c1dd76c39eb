import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { CacheMemory } from "../../../rpc/cache/cache-memory.ts";
import { freezeJson, toFrozenJson } from "../../../rpc/cache/frozen-json.ts";

/** A list of products. */
function createProducts(seed: number, description: string): object[] {
  return Array.from({ length: 20 }, (_, index) => ({
    id: seed * 100 + index,
    name: `Product ${seed} ${index}`,
    price: 19.99 + index,
    description: `${seed} ${index} ${description}`,
    images: [{ url: `https://cdn.example/${seed}/${index}.jpg`, alt: null }],
    variants: [1, 2, 3].map((size) => ({ sku: `${seed}-${index}-${size}`, size, stock: index })),
  }));
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

const toEntry = (value: unknown) => ({
  value,
  tags: new Set<string>(),
  loadedAt: 0,
  mark: undefined,
  refreshAt: 0,
});

describe("the memory of the cache", () => {
  test.each([
    ["Latin-1", "Lorem ipsum dolor sit amet ".repeat(8)],
    ["Cyrillic", "Съешь же ещё этих мягких французских булок ".repeat(5)],
    ["nothing", ""],
  ])("stays below 32 MiB and a tenth, for lists of products with %s", (_, description) => {
    const memory = new CacheMemory();
    const before = heapUsed();
    for (let index = 0; index < 2000; index++) {
      const json = toFrozenJson(createProducts(index, description));
      memory.set(`key ${index}`, toEntry(json?.value), json?.size ?? 0);
    }
    const used = heapUsed() - before;
    expect(used).toBeLessThan(1.1 * 33_554_432);
    expect(used).toBeGreaterThan(0.3 * 33_554_432);
    expect(memory.get("key 1999")).toBeDefined();
  });

  test("holds 1,000 values at most, and drops the least recently used one", () => {
    const memory = new CacheMemory();
    for (let index = 0; index < 1000; index++) memory.set(`key ${index}`, toEntry(index), 24);
    memory.get("key 0");
    memory.set("key 1000", toEntry(1000), 24);
    expect(memory.get("key 0")).toBeDefined();
    expect(memory.get("key 1")).toBeUndefined();
  });
});

describe("a frozen value", () => {
  test("rejects changes at every depth", () => {
    const { value } = toFrozenJson({ a: [{ b: { c: [] } }] }) as { value: unknown };
    const seen: unknown[] = [];
    const visit = (part: unknown): void => {
      if (typeof part !== "object" || part === null) return;
      seen.push(part);
      expect(Object.isFrozen(part)).toBe(true);
      Object.values(part).forEach(visit);
    };
    visit(value);
    expect(seen).toHaveLength(5);
  });

  test("keeps a key named __proto__ as JSON has it", () => {
    const { value, bytes } = freezeJson(JSON.parse('{"__proto__":{"a":1}}'));
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(bytes).toBe(21);
  });
});

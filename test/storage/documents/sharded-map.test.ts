import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { ShardedMap } from "../../../storage/documents/sharded-map.ts";

test("behaves as a Map", () => {
  const map = new ShardedMap<number>();
  const keys = ["", "a", "user:7", `session:1:${randomUUID()}`, "ключ"];
  for (const [index, key] of keys.entries()) map.set(key, index);
  map.set("a", 9);
  expect([map.size, map.get("a"), map.get(""), map.get("b")]).toEqual([5, 9, 0, undefined]);
  expect(Array.from(map, ([key]) => key).toSorted()).toEqual(keys.toSorted());
  expect([map.delete("a"), map.delete("a"), map.has("a"), map.size]).toEqual([
    true,
    false,
    false,
    4,
  ]);
  map.clear();
  expect([map.size, ...map]).toEqual([0]);
});

test.each([
  ["UUIDs", () => `session:1:${randomUUID()}`],
  ["numbers", (index: number) => `user:accounts:${index}`],
  ["UUIDs in quotes", () => `basket:1:"${randomUUID()}"`],
])("distributes keys that end with %s, so no part gets large", (_, createKey) => {
  const set = vi.spyOn(Map.prototype, "set");
  const map = new ShardedMap<number>();
  for (let index = 0; index < 10_000; index++) map.set(createKey(index), index);
  const parts = new Set(set.mock.contexts as Map<string, number>[]);
  set.mockRestore();
  expect(Math.max(...Array.from(parts, ({ size }) => size))).toBeLessThan(10_000 / 20);
});

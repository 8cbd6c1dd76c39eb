import { describe, expect, it } from "vitest";
import { copyOf } from "../../shared/copy.ts";

describe("copyOf", () => {
  it.each<[string, unknown]>([
    ["a string", "text"],
    ["null", null],
    ["nested objects and arrays", { a: [1, null, { b: ["c", [true]] }], d: { e: undefined } }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    [
      "a Date, a Map, and a Set",
      { at: new Date(0), map: new Map([[1, { a: 1 }]]), set: new Set([1]) },
    ],
    ["an array with a hole", Object.assign([1], { 2: { a: 1 } })],
  ])("copies %s as structuredClone does", (_, value) => {
    expect(copyOf(value)).toStrictEqual(structuredClone(value));
  });

  it("shares no part with the original", () => {
    const original = { list: [{ a: 1 }], part: { b: { c: 1 } } };
    const copy = copyOf(original);
    copy.list[0]!.a = 2;
    copy.list.push({ a: 3 });
    copy.part.b.c = 2;
    expect(original).toEqual({ list: [{ a: 1 }], part: { b: { c: 1 } } });
  });

  it("copies a field named __proto__ without changing a prototype", () => {
    const original = JSON.parse('{"__proto__": {"isAdmin": true}}') as object;
    const copy = copyOf(original);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"isAdmin":true}}');
  });
});

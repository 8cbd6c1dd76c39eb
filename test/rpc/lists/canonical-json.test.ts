import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../rpc/lists/basket-line.ts";

/** The same value with its keys in another order, at all levels. */
function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const entries = Object.entries(value).map(([key, part]) => [key, reversed(part)] as const);
  return Object.fromEntries(entries.toReversed());
}

describe("canonicalJson", () => {
  test("writes equal values as the same text, in any order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("writes different values as different texts", () => {
    const values = [{ a: 1 }, { a: "1" }, { a: [1] }, { a: null }, { b: 1 }, {}, [], "{}", null];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });

  test("sorts keys that are numbers, and writes -0 as 0", () => {
    expect(canonicalJson({ b: 1, 10: 1, a: -0, 2: 1 })).toBe('{"2":1,"10":1,"a":0,"b":1}');
  });
});

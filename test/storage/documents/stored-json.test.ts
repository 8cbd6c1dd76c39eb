import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isJson } from "../../../storage/documents/stored-json.ts";

test("accepts only values that JSON returns unchanged", () => {
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  });
  let found = 0;
  fc.assert(
    fc.property(values, (value) => {
      if (!isJson(value)) return;
      found++;
      expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
    }),
    { numRuns: 5000 },
  );
  expect(found).toBeGreaterThan(100);
});

test("accepts every value that JSON can contain", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      // JSON can say it, but does not write it.
      fc.pre(!text.includes("-0"));
      expect(isJson(value)).toBe(true);
    }),
  );
});

test.each([
  ["undefined", undefined],
  ["a field without a value", { a: undefined }],
  ["what JSON writes as null", [Number.NaN, Infinity]],
  ["a zero that loses its sign", { a: [-0] }],
  ["a hole", Object.assign([], { 1: 1 })],
  ["an array with a name", Object.assign([1], { a: 2 })],
  ["a date", { a: new Date(0) }],
  ["what writes itself otherwise", { toJSON: () => 1 }],
  ["an object of a class", new URL("https://shop.example")],
  ["an object without a prototype", Object.create(null)],
])("%s is not JSON", (_, value) => {
  expect(isJson(value)).toBe(false);
});

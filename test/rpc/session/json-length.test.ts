import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isJsonLongerThan } from "../../../rpc/session/json-length.ts";

describe("the length of a value's JSON", () => {
  test("is never taken for more than it is", () => {
    const values = fc.anything({ withDate: true, withNullPrototype: true });
    fc.assert(
      fc.property(values, (value) => {
        const length = JSON.stringify(value)?.length ?? 0;
        expect(isJsonLongerThan(value, length)).toBe(false);
      }),
    );
  });

  test("is counted up to the limit only, so that a circle ends", () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle["b"] = circle;
    expect(isJsonLongerThan(circle, 1000)).toBe(true);
    expect(isJsonLongerThan({ text: "x".repeat(1001) }, 1000)).toBe(true);
    expect(
      isJsonLongerThan(
        Array.from({ length: 501 }, () => 0),
        1000,
      ),
    ).toBe(true);
  });

  test("leaves to JSON what it writes in its own way", () => {
    const shrinking = { list: Array.from({ length: 5000 }, () => 0), toJSON: () => 1 };
    const omitted = Object.fromEntries(Array.from({ length: 9 }, (_, key) => [key, () => 1]));
    expect(isJsonLongerThan({ shrinking, absent: undefined, ...omitted }, 20)).toBe(false);
  });
});

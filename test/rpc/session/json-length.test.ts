import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isJsonLongerThan } from "../../../rpc/session/record-changes.ts";

describe("isJsonLongerThan", () => {
  test("never counts more than JSON.stringify writes", () => {
    const values = fc.anything({ withDate: true, withNullPrototype: true });
    fc.assert(
      fc.property(values, (value) => {
        const length = JSON.stringify(value)?.length ?? 0;
        expect(isJsonLongerThan(value, length)).toBe(false);
      }),
    );
  });

  test("stops at the limit, even in a circular value", () => {
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

  test("doesn't count a value with toJSON", () => {
    const shrinking = { list: Array.from({ length: 5000 }, () => 0), toJSON: () => 1 };
    const omitted = Object.fromEntries(Array.from({ length: 9 }, (_, key) => [key, () => 1]));
    expect(isJsonLongerThan({ shrinking, absent: undefined, ...omitted }, 20)).toBe(false);
  });
});

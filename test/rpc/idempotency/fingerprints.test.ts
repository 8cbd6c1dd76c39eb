import { describe, expect, test } from "vitest";
import { createFingerprints, toKeyId } from "../../../rpc/idempotency/fingerprints.ts";
import { testSecret } from "../../_setup.ts";

const newSecret = "another-secret-for-tests-only-of-32-characters";
const oldSecret = testSecret;
const request = { method: "addItemToBasket", payload: { variantId: 7, quantity: 1 } };

describe("fingerprints of payloads", () => {
  const fingerprints = createFingerprints([oldSecret]);

  test("agree for equal values in another order", () => {
    const reordered = { ...request, payload: { quantity: 1, variantId: 7 } };
    expect(fingerprints.of(reordered)).toBe(fingerprints.of(request));
    expect(fingerprints.match(fingerprints.of(request), reordered)).toBe(true);
  });

  test.each([
    ["another value", { ...request, payload: { variantId: 7, quantity: 2 } }],
    ["another type", { ...request, payload: { variantId: "7", quantity: 1 } }],
    ["one more field", { ...request, payload: { ...request.payload, more: null } }],
    ["no payload", { ...request, payload: undefined }],
    ["another method", { ...request, method: "updateBasketItem" }],
  ])("differ for %s", (_, other) => {
    expect(fingerprints.match(fingerprints.of(request), other)).toBe(false);
  });

  test("distinguish null from no payload", () => {
    const stored = fingerprints.of({ method: "clearBasket", payload: undefined });
    expect(fingerprints.match(stored, { method: "clearBasket", payload: null })).toBe(false);
  });

  test("can't be made without the secret", () => {
    expect(createFingerprints([newSecret]).of(request)).not.toBe(fingerprints.of(request));
    expect(fingerprints.of(request)).toMatch(/^[\w-]{5}\.[\w-]{22}$/);
  });

  test("stay comparable while their secret is being rotated out", () => {
    const rotating = createFingerprints([oldSecret, newSecret]);
    const other = { ...request, payload: {} };
    for (const stored of [fingerprints.of(request), rotating.of(request)]) {
      expect(rotating.match(stored, request)).toBe(true);
      expect(rotating.match(stored, other)).toBe(false);
    }
    const before = createFingerprints([newSecret, oldSecret]);
    expect(before.match(rotating.of(request), request)).toBe(true);
  });

  test("count as equal after their secret was removed, so that nothing is executed twice", () => {
    const stored = fingerprints.of(request);
    expect(createFingerprints([newSecret]).match(stored, { method: "x", payload: 1 })).toBe(true);
  });
});

test("a key of any length has an ID of 22 characters", () => {
  expect(toKeyId("a")).toMatch(/^[\w-]{22}$/);
  expect(toKeyId("x".repeat(255))).toMatch(/^[\w-]{22}$/);
  expect(toKeyId("a")).not.toBe(toKeyId("A"));
});

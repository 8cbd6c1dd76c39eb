import { describe, expect, onTestFinished, test } from "vitest";
import { createTestClock, createTestStorefront } from "../../../server/testing/index.ts";

/** A value of the wrong type, as JavaScript can pass it. */
const wrong = (value: unknown) => value as never;

async function start() {
  const storefront = await createTestStorefront({
    shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
  });
  onTestFinished(() => storefront.close());
  return storefront;
}

describe("a test storefront", () => {
  test.each([undefined, Number.NaN, Infinity, -1, "5"])(
    "lets no time pass for %s",
    async (value) => {
      const clock = createTestClock(new Date(1_000));
      await expect(clock.advance(wrong(value))).rejects.toThrow(
        `advance: received ${value}. Expected seconds, 0 or more`,
      );
      expect(clock.now()).toBe(1_000);
    },
  );

  test("rejects faults that could never hit an operation", async () => {
    const { storage } = await start();
    expect(() => storage.fail(wrong("writes"))).toThrow(
      'kind: received "writes". Expected read, write, take, count, ping, any',
    );
    expect(() => storage.fail("write", { nth: 0 })).toThrow("nth: received 0. Expected a whole");
    expect(() => storage.fail("write", wrong({ keys: "basket:" }))).toThrow(
      'target: received "keys". Expected key and nth only',
    );
    expect(() => storage.loseAnswer("write", wrong({ key: /basket/ }))).toThrow("key: received");
    expect(() => storage.delay("read", wrong(undefined))).toThrow("seconds: received undefined");
  });

  test("names the shops if a visitor's shop is not one of them", async () => {
    const { visitor } = await start();
    expect(() => visitor(wrong({ shopId: "1001" }))).toThrow(
      'The config has no shop "1001", only 1001',
    );
  });
});

import { describe, expect, test } from "vitest";
import { parseIdempotencyKey } from "../../../rpc/idempotency/idempotency-key.ts";
import { createSetup } from "../../_setup.ts";

describe("the header Idempotency-Key", () => {
  test.each([
    ["8e03978e-40d5-43e6-bc93-6894a57f9324", "8e03978e-40d5-43e6-bc93-6894a57f9324"],
    ['"8e03978e-40d5"', "8e03978e-40d5"],
    ['"two words"', "two words"],
    [String.raw`"a \"quoted\" \\ word"`, String.raw`a "quoted" \ word`],
    ["!~", "!~"],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
  ])("can be %s", (text, key) => {
    expect(parseIdempotencyKey(text)).toBe(key);
  });

  test.each([
    "",
    '""',
    '"',
    '"open',
    'open"quote" "',
    "two words",
    "one, two",
    '"one", "two"',
    '"a"b"',
    String.raw`"bad \escape"`,
    String.raw`"open\"`,
    "kéy",
    '"kéy"',
    '"a\tb"',
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ])("can't be %j", (text) => {
    expect(() => parseIdempotencyKey(text)).toThrow(
      expect.objectContaining({ code: "malformed_request", status: 400 }),
    );
  });

  test("takes linear time, however long it is", () => {
    const times = Array.from({ length: 3 }, () => {
      const start = process.cpuUsage();
      expect(() => parseIdempotencyKey(`"${"\\\\".repeat(50_000)}`)).toThrow(/not valid/);
      return process.cpuUsage(start).user / 1000;
    });
    // Quadratic time would take seconds.
    expect(Math.min(...times)).toBeLessThan(200);
  });
});

describe("a call with a malformed Idempotency-Key", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
  const key = { "idempotency-key": "two words" };

  test("gets an error before it changes anything", async () => {
    const { client } = await setup.start();
    const visitor = client();
    const line = { variantId: 7, quantity: 1 };
    const rejected = await visitor.call("addItemToBasket", line, key);
    expect(rejected).toMatchObject({ status: 400, body: { code: "malformed_request" } });
    expect(rejected.setCookies).toEqual([]);
    expect(await visitor.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 0 } } });
  });

  test("runs if the method changes nothing", async () => {
    const { client } = await setup.start();
    expect(await client().call("getBasket", undefined, key)).toMatchObject({ status: 200 });
  });
});

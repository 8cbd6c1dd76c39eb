import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup } from "../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

describe("the response to an invalid payload", () => {
  test("lists 20 errors and counts the others", async () => {
    const { client } = await start();
    const items = Array.from({ length: 100 }, () => ({ variantId: 7, quantity: 0 }));
    const { status, body } = await client().call("addItemsToBasket", { items });
    expect(status).toBe(422);
    expect(body.errors).toHaveLength(20);
    expect(body.errors[19].path).toEqual(["items", 19, "quantity"]);
    expect(body.omittedErrors).toBe(80);
  });

  test("counts nothing if all errors are listed", async () => {
    const { client } = await start();
    const { body } = await client().call("addItemToBasket", { variantId: 7, quantity: 0 });
    expect(body.errors).toHaveLength(1);
    expect(body).not.toHaveProperty("omittedErrors");
  });

  test("shortens messages and keys that repeat a large payload", async () => {
    const input = z.record(z.string(), z.int());
    const { client } = await start({
      methods: { count: defineRpcMethod({ input, handler: () => 1 }) },
    });
    const strays = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 1]));
    const login = await client().call("login", { email: "a@example.com", ...strays });
    const count = await client().call("count", { ["k".repeat(50_000)]: "x" });
    for (const { status, body } of [login, count]) {
      expect(status).toBe(422);
      expect(JSON.stringify(body).length).toBeLessThan(2000);
    }
    expect(count.body.errors[0].path[0]).toMatch(/^k{99}…$/);
  });

  test("blocks the event loop for less than 50 ms with any payload and headers", async () => {
    const { client } = await start();
    const strays = Object.fromEntries(
      Array.from({ length: 6200 }, (_, index) => [`k${index}`, `v${index}`]),
    );
    const items = Array.from({ length: 1000 }, () => ({
      variantId: 7,
      quantity: 0,
      colour: "red",
    }));
    const cookie = Array.from({ length: 1300 }, (_, index) => `a${index}=${index}`).join("; ");
    const nested = Object.fromEntries(
      Array.from({ length: 380 }, (_, index) => [
        `${"a".repeat(20)}${index}`,
        `${"a".repeat(index)}b`,
      ]),
    );
    const calls: readonly (readonly [string, unknown])[] = [
      ["login", { email: "a@example.com", ...strays }],
      ["login", { email: "a@example.com", ...nested }],
      ["addItemsToBasket", { items }],
    ];
    for (const [method, payload] of calls) {
      const times: number[] = [];
      for (let round = 0; round < 5; round++) {
        const before = process.cpuUsage();
        expect((await client().call(method, payload, { cookie })).status).toBe(422);
        const { user, system } = process.cpuUsage(before);
        times.push((user + system) / 1000);
      }
      expect(Math.min(...times), method).toBeLessThan(50);
    }
  });
});

import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createFaultyDriver, hold } from "../../_faulty-driver.ts";
import { createSetup, describeStorages } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

const methods = {
  ...testMethods,
  /** Adds to the custom data, and returns the code of the error that is thrown immediately. */
  tryNote: defineRpcMethod({
    input: z.record(z.string(), z.json()),
    handler(fields, { updateCustomData }) {
      try {
        updateCustomData(fields);
        return "noted";
      } catch (error) {
        return (error as { readonly code?: string }).code;
      }
    },
  }),
};

describeStorages("a session's custom data", ({ start }) => {
  test("can't exceed 16,384 characters of JSON", async () => {
    const { client } = await start({ methods });
    const guest = client();
    expect((await guest.call("note", ofSize(16_384))).status).toBe(204);
    const refused = await guest.call("note", { b: 1 });
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: "limit_reached",
        detail: "The session's custom data would have 16390 characters of JSON; the limit is 16384",
      },
    });
    expect((await guest.call("tryNote", { b: 1 })).body).toBe("limit_reached");
    expect((await guest.call("notes")).body).toEqual(ofSize(16_384));
    expect((await guest.call("tryNote", { a: 1, b: 1 })).body).toBe("noted");
    expect((await client().call("note", ofSize(16_385))).status).toBe(422);
  });
});

describe("a session's custom data in parallel calls", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("stays within the limit if two calls add to it", async () => {
    const faulty = createFaultyDriver();
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const [tab, other] = [client(), client()];
    await tab.call("note", { begun: true });
    for (const [name, value] of tab.cookies) other.cookies.set(name, value);
    const half = "x".repeat(10_000);
    const barrier = hold(faulty, "before", "write session:");
    const first = tab.call("note", { a: half });
    await barrier.reached;
    const second = other.call("note", { b: half });
    barrier.open();
    const statuses = (await Promise.all([first, second])).map(({ status }) => status);
    expect(statuses).toEqual([204, 422]);
    expect((await tab.call("notes")).body).toEqual({ begun: true, a: half });
  });
});

// --- Internal helpers ---

/** Custom data with this many characters of JSON. */
function ofSize(size: number): { a: string } {
  return { a: "x".repeat(size - '{"a":""}'.length) };
}

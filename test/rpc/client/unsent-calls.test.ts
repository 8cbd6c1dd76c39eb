import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRpcClient, type RpcClientOptions } from "../../../rpc/client.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const circle: { self?: unknown } = {};
circle.self = circle;

/** The calls that can't be sent: with options of the client, a payload, and headers. */
const faults: readonly (readonly [
  what: string,
  message: RegExp,
  options: Partial<RpcClientOptions>,
  payload: unknown,
  headers: Record<string, string>,
])[] = [
  ["a payload with a bigint", /act: TypeError: .*BigInt/, {}, { price: 1n }, {}],
  ["a payload with a circle", /act: TypeError: .*circular/, {}, circle, {}],
  ["a header of the call with a line break", /invalid/i, {}, {}, { "x-a": "b\nc" }],
  ["a header of the client with a line break", /invalid/i, { headers: { "x-a": "b\nc" } }, {}, {}],
  ["a URL with a password", /credentials/, { baseURL: "https://a:b@shop.example" }, {}, {}],
];

describe.each([false, true])("with batch: %s", (batch) => {
  test.each(faults)("rejects %s immediately, and sends nothing", async (_, message, ...rest) => {
    const [options, payload, headers] = rest;
    const fetch = vi.fn(async () => Response.json({}));
    const client = createRpcClient({
      baseURL: "https://shop.example",
      shopId: 1,
      ...options,
      batch,
      fetch,
    });
    let error: unknown;
    void client["act"]?.(payload, { headers }).catch((thrown: unknown) => (error = thrown));
    // A batch waits for the end of the tick, and a repeat for 200 ms.
    await vi.advanceTimersByTimeAsync(1);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
    await vi.advanceTimersByTimeAsync(5000);
    expect(fetch).not.toHaveBeenCalled();
  });
});

test("repeats a call with the payload that it had at first", async () => {
  const bodies: unknown[] = [];
  const fetch = vi.fn(async (request: Request) => {
    bodies.push(await request.json());
    if (bodies.length === 1) throw new TypeError("fetch failed");
    return Response.json({ done: true });
  });
  const client = createRpcClient({ baseURL: "https://shop.example", shopId: 1, fetch });
  const payload = { quantity: 1 };
  const call = client["act"]?.(payload);
  payload.quantity = 2;
  await vi.advanceTimersByTimeAsync(200);
  expect(await call).toEqual({ done: true });
  expect(bodies).toEqual([{ payload: { quantity: 1 } }, { payload: { quantity: 1 } }]);
});

import { Writable } from "node:stream";
import { inspect } from "node:util";
import { reactive } from "@vue/reactivity";
import pino from "pino";
import { describe, expect, test, vi } from "vitest";
import winston from "winston";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient } from "../../../rpc/client.ts";

const fetch = vi.fn<(request: Request) => Promise<Response>>(async () => Response.json({}));
const client = createRpcClient<BuiltinMethods>({
  baseURL: "https://shop.example",
  shopId: 1001,
  fetch,
});

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const transports = [new winston.transports.Stream({ stream: sink })];

/** The way in which pretty-format finds elements. */
function isElement(value: unknown): unknown {
  const element = value as { hasAttribute?: (name: string) => unknown };
  return typeof element.hasAttribute === "function" && element.hasAttribute("is");
}

/** Code that looks at a value without knowing that it is a client. */
const looks: readonly (readonly [string, (value: typeof client) => unknown])[] = [
  ["JSON.stringify", (value) => JSON.stringify({ value })],
  ["a template string", (value) => `${value as unknown as string}`],
  ["a number conversion", (value) => Number(value)],
  ["a comparison", (value) => (value as unknown as number) > 1],
  ["await", async (value) => await value],
  ["Promise.resolve", (value) => Promise.resolve(value).finally(() => undefined)],
  ["console.log", (value) => inspect(value, { showProxy: false })],
  ["a deep comparison", (value) => expect(value).not.toEqual({ a: 1 })],
  ["an asymmetric match", (value) => expect({ a: 1 }).not.toEqual({ a: value })],
  ["Object.keys", (value) => Object.keys(value)],
  ["a spread", (value) => ({ ...value })],
  ["Vue's reactive", (value) => JSON.stringify(reactive({ value }).value)],
  ["a line of pino with nothing else", (value) => pino(sink).error(value)],
  ["a line of pino", (value) => pino(sink).info({ value, req: value, res: value, err: value })],
  ["a line of winston", (value) => winston.createLogger({ transports }).info("a line", value)],
  ["the DOM printer of Vitest and Jest", (value) => isElement(value)],
  ["a React element check", (value) => (value as unknown as Record<string, unknown>)["$$typeof"]],
];

describe("a client", () => {
  test.each(looks)("sends nothing for %s", async (_, look) => {
    fetch.mockClear();
    await look(client);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("reads as an ordinary object in a string", () => {
    expect(String(client)).toBe("[object Object]");
  });

  test("calls the server through Vue's reactive", async () => {
    fetch.mockClear();
    await reactive({ client }).client.getUser();
    expect(fetch).toHaveBeenCalledOnce();
  });

  test("gives the same function each time", () => {
    expect(client.getUser).toBe(client.getUser);
    expect(client.getUser).not.toBe(client.getBasket);
  });
});

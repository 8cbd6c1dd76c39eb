import { expect } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../rpc/define-method.ts";
import type { Answer } from "./_cookie-client.ts";
import { testMethods } from "./fixtures/methods.ts";

/** The text of an internal error, which no client may see. */
export const inside = "connect ECONNREFUSED redis://user:pw@host:6379";

/** Methods for tests of the wire. */
export const methods = {
  ...testMethods,
  echo: defineRpcMethod({
    input: z.json().optional(),
    handler: (payload) => payload,
  }),
  read: defineRpcMethod({
    access: "public",
    readOnly: true,
    input: z.json().optional(),
    handler: (payload, { shop }) => ({ payload, shopId: shop.shopId }),
  }),
  act: defineRpcMethod({ access: "public", handler: () => "done" }),
  order: defineRpcMethod({
    input: z.strictObject({ lines: z.array(z.strictObject({ quantity: z.int().min(1) })) }),
    handler: () => "ordered",
  }),
  secret: defineRpcMethod({ access: "user", input: z.string(), handler: () => "secret" }),
  fail: defineRpcMethod({
    handler() {
      throw new Error(inside);
    },
  }),
};

export const json = { "content-type": "application/json", "x-shop-id": "1001" };
export const bare = { "x-shop-id": "1001" };
/** A body whose content type is not set by `fetch`. */
export const bytes = (text: string) => new TextEncoder().encode(text);
export const from = (origin: string) => ({ ...json, origin });
export const typed = (type: string) => ({ ...bare, "content-type": type });
export const crossSite = { "sec-fetch-site": "cross-site" };

/** Expects problem details (RFC 9457) without cookies and without caching. */
export function expectProblem(answer: Answer, expected: string): void {
  const { status, title, code, detail, errors, instance, ...rest } = answer.body;
  expect(`${status} ${code}`).toBe(expected);
  expect(rest).toEqual({ type: "about:blank" });
  expect(answer.status).toBe(status);
  expect(title).toMatch(/\w/);
  expect([typeof detail, typeof errors, typeof instance]).toEqual([
    expect.stringMatching(/string|undefined/),
    expect.stringMatching(/object|undefined/),
    status >= 500 ? "string" : "undefined",
  ]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.setCookies).toEqual([]);
}

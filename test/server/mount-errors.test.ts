import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "h3/node";
import type { ServerRequest } from "srvx";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

const methods = {
  isGone: defineRpcMethod({
    async handler(_, { signal }) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return signal.aborted;
    },
  }),
  fails: defineRpcMethod({
    async handler(_, { signal }) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      signal.throwIfAborted();
      throw new TypeError("wrong");
    },
  }),
};

function open(config: Partial<StorefrontConfig> = {}) {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log, methods, ...config }), { production: false });
  onTestFinished(() => app.close());
  return app;
}

const ask = async (path: string, headers: Record<string, string>) => {
  const init = { method: "POST", headers, body: "{}" };
  const response = await open().fetch(new Request(`http://shop.example${path}`, init));
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return { status: response.status, ...(await response.json()) };
};

describe("the error response names the cause in the mount", () => {
  const json = { "content-type": "application/json" };

  test.each([
    ["/shop/api/rpc/getBasket", "unknown_shop", /"\/shop".*prefix.*basePath to "\/shop\/api"/],
    ["/a/b/api/rpc/getBasket", "unknown_path", /"\/a\/b\/api\/rpc\/getBasket".*basePath.*"\/api"/],
    ["/rpc/getBasket", "unknown_path", /basePath.*"\/api"/],
    ["/getBasket", "unknown_path", /"\/getBasket" is not below basePath/],
    ["/API/RPC/getBasket", "unknown_path", /basePath.*"\/api"/],
    ["/api/api/rpc/getBasket", "unknown_shop", /basePath \("\/api"\) twice.*baseURL/],
    [
      "/api/rpc/getBasket/",
      "unknown_path",
      /"\/api\/rpc\/<method>" without a slash.*trailingSlash/,
    ],
    ["/a/b/api/admin/endAllSessions", "unknown_path", /basePath.*"\/api"/],
    ["/a/b/api/openapi.json", "unknown_path", /basePath.*"\/api"/],
    ["/shop/healthz", "unknown_path", /"\/shop\/healthz".*"\/healthz" or "\/readyz"/],
    ["/api/rpc/getBasket", "unknown_shop", /x-shop-id.*1001, 1002.*Headers object/],
  ])("for a wrong prefix: %s", async (path, code, detail) => {
    const found = await ask(path, json);
    expect(found).toMatchObject({ status: 404, code, detail: expect.stringMatching(detail) });
    expect(found.detail).toContain("docs/mounting.md");
  });

  test("for a wrong prefix, also with the header that the typed client sends", async () => {
    const headers = { ...json, "x-shop-id": "1001" };
    expect((await ask("/api/api/rpc/getBasket", headers)).detail).toContain("twice");
    expect((await ask("/shop/api/rpc/getBasket", headers)).detail).toContain(
      'set basePath to "/shop/api"',
    );
    expect((await ask("/us/api/rpc/getBasket", headers)).detail).toContain("header x-shop-id");
  });

  test("for a call without a shop, with every way to name one", async () => {
    const { detail } = await ask("/api/rpc/getBasket", json);
    expect(detail).toContain("header x-shop-id (1001, 1002), or use the URL of a shop: /de, /us.");
    const wrong = await ask("/fr/api/rpc/getBasket", json);
    expect(wrong.detail).toContain('No shop has the path "/fr"; the shops are at /de, /us.');
  });

  test.each([
    ["GET", "/login"],
    ["GET", "/"],
    ["POST", "/checkout"],
  ])("not for a page of the framework: %s %s", async (method, path) => {
    const response = await open().fetch(new Request(`http://shop.example${path}`, { method }));
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("docs/mounting.md");
  });

  test("for a shop ID that doesn't exist", async () => {
    const found = await ask("/api/rpc/getBasket", { ...json, "x-shop-id": "7" });
    expect(found).toMatchObject({ status: 404, detail: expect.stringContaining("1001, 1002") });
  });

  test.each([{}, { "content-type": "text/plain;charset=UTF-8" }])(
    "for headers that a framework's fetch dropped: %j",
    async (headers) => {
      expect(await ask("/de/api/rpc/getBasket", headers as never)).toMatchObject({
        status: 415,
        code: "not_json",
        detail: expect.stringMatching(/dropped the headers.*docs\/mounting\.md/),
      });
    },
  );

  test("for a body that never comes, because its stream was read before", async () => {
    const body = new ReadableStream();
    const init = { method: "POST", headers: json, body, duplex: "half" };
    const app = open({ callTimeout: 1 });
    const response = await app.fetch(new Request("http://shop.example/de/api/rpc/getBasket", init));
    expect(await response.json()).toMatchObject({
      status: 504,
      code: "timeout",
      detail: expect.stringMatching(/did not arrive.*has read it already.*docs\/mounting\.md/),
    });
  });
});

test("doesn't cancel a call if its request's signal aborts after the body was read, as in srvx 0.8", async () => {
  const app = open();
  const server = createServer(
    toNodeHandler({
      fetch(request: ServerRequest) {
        const controller = new AbortController();
        request.runtime?.node?.req.once("close", () => controller.abort());
        return app.fetch(Object.defineProperty(request, "signal", { value: controller.signal }));
      },
    } as never),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const call = (method: string) =>
    fetch(`http://127.0.0.1:${port}/de/api/rpc/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: "{}",
    });
  expect(await (await call("isGone")).json()).toBe(false);
  expect((await call("fails")).status).toBe(500);
});

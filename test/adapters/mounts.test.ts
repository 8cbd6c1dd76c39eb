import { describe, expect, onTestFinished, test } from "vitest";
import { toFetchHandler } from "../../adapters/fetch.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { isStorefrontPath } from "../../server/url-path.ts";
import { createRpcCaller } from "../../server/rpc-caller.ts";
import { createStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

const methods = {
  whatIp: defineRpcMethod({ handler: (_, { ip }) => ip ?? "none" }),
};

describe("toFetchHandler", () => {
  const server = { requestIP: () => ({ address: "198.51.100.4", family: "IPv4" }) };

  test.each([
    ["Bun", server, "198.51.100.4"],
    ["Hono on Bun", { server }, "198.51.100.4"],
    ["Bun, of a closed connection", { requestIP: () => null }, "none"],
    [
      "Deno",
      { remoteAddr: { transport: "tcp", hostname: "198.51.100.4", port: 1 } },
      "198.51.100.4",
    ],
    ["Hono on Node.js", { incoming: { socket: { remoteAddress: "::1" } } }, "::1"],
    ["Cloudflare", { KV: {} }, "none"],
    ["a server without a second argument", undefined, "none"],
    ["a server with a text", "198.51.100.4", "none"],
  ])("finds the client's address in what %s passes", async (_name, host, ip) => {
    const { log } = createTestLog();
    const app = createStorefront(testConfig({ log, methods }), { production: false });
    onTestFinished(() => app.close());
    const request = new Request("http://shop.example/de/api/rpc/whatIp", { method: "POST" });
    const response = await toFetchHandler(app)(request, host);
    expect(await response.json()).toBe(ip);
  });

  test("gives the calls of a page the client's address", async () => {
    const { log } = createTestLog();
    const app = createStorefront(testConfig({ log, methods }), { production: false });
    onTestFinished(() => app.close());
    const render = toFetchHandler(async (request) => {
      const rpc = createRpcCaller<typeof methods>(app, request);
      return Response.json(await rpc.whatIp());
    });
    const response = await render(new Request("http://shop.example/de"), server);
    expect(await response.json()).toBe("198.51.100.4");
  });
});

test.each([
  ["/api/rpc/getBasket", true],
  ["/api/rpc", true],
  ["/de/api/rpc/getBasket?x=1", true],
  ["https://shop.example/api/rpc/getBasket", true],
  ["http://[::1]:3000/de/api/admin/endUserSessions", true],
  ["/healthz", true],
  ["/readyz?verbose", true],
  ["/", false],
  ["/api/rpcs", false],
  ["/api/other", false],
  ["/rpc/getBasket", false],
  ["/page?next=/api/rpc/getBasket", false],
  ["/a/b/api/rpc/getBasket", false],
  ["https://api.example/rpc", false],
])("isStorefrontPath for %s is %s", (url, expected) => {
  const storefront = { options: { basePath: "/api" } };
  expect(isStorefrontPath(storefront, url)).toBe(expected);
});

test("isStorefrontPath for the OpenAPI document is true if the config enables it", () => {
  for (const openApi of [true, false]) {
    const storefront = { options: { basePath: "/api", openApi } };
    for (const url of ["/api/openapi.json", "http://localhost/de/api/openapi.json"]) {
      expect(isStorefrontPath(storefront, url)).toBe(openApi);
    }
  }
});

test("isStorefrontPath for the development page is true if there is one", () => {
  for (const off of [undefined, "production"] as const) {
    const storefront = { options: { basePath: "/api", devPage: { off, tokens: [] } } };
    for (const url of ["/_storefront", "http://localhost/_storefront/page.js?x"]) {
      expect(isStorefrontPath(storefront, url)).toBe(off === undefined);
    }
    expect(isStorefrontPath(storefront, "/_storefronts")).toBe(false);
  }
});

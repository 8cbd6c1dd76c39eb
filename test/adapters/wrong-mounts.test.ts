import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { toFastifyPlugin, type FastifyScope } from "../../adapters/fastify.ts";
import { toNodeHandler } from "../../adapters/node.ts";
import { prometheus } from "../../adapters/prometheus.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { describeWithPeers } from "../_adapters.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { requirePeer } from "../_peers.ts";
import { testConfig } from "../_setup.ts";

function create() {
  const { log, lines } = createTestLog();
  const app = createStorefront(testConfig({ log }), { production: false });
  onTestFinished(() => app.close());
  return { app, lines };
}

describeWithPeers("Express", () => {
  const express = requirePeer("express") as () => RequestListener & {
    use(...handlers: unknown[]): void;
  };

  test.each([
    ["/api", "/rpc/getBasket"],
    ["/api/rpc", "/getBasket"],
    ["/api/rpc/getBasket", "/"],
    ["/de", undefined],
    ["/other", undefined],
  ])(
    "gets the cause in the error if its mount of the storefront at %s is wrong",
    async (path, left) => {
      const outer = express();
      outer.use(path, toNodeHandler(create().app));
      outer.use((_request: unknown, response: { end(text: string): void }) => response.end("page"));
      const server = createServer(outer).listen(0, "127.0.0.1");
      onTestFinished(() => void server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/api/rpc/getBasket`;
      const response = await fetch(url, { method: "POST" });
      if (left === undefined) return expect(await response.text()).toBe("page");
      expect(await response.json()).toMatchObject({
        status: 404,
        code: "unknown_path",
        detail: `The framework has removed the start of the path "/api/rpc/getBasket", so the storefront gets "${left}". Mount the storefront without a prefix, because basePath ("/api") already begins with it: see docs/mounting.md`,
      });
    },
  );
});

describe("the Fastify plugin", () => {
  test.each([
    ["/api", 1],
    ["/api/rpc", 1],
    ["/api/", 1],
    ["/shop", 0],
    ["/", 0],
    ["", 0],
  ])("with the prefix %j logs %i warnings", async (prefix, count) => {
    const { app, lines } = create();
    const scope: FastifyScope = {
      prefix,
      removeAllContentTypeParsers() {},
      addContentTypeParser() {},
      all() {},
    };
    await toFastifyPlugin(app)(scope);
    const found = lines.filter(({ message }) => message.includes("docs/mounting.md"));
    expect(found).toHaveLength(count);
    if (count > 0)
      expect(found[0]?.message).toContain(
        `calls are at "${prefix.replace(/\/$/, "")}/api/rpc/<method>"`,
      );
  });

  test.each([
    ["/shop/", "/shop"],
    ["/a/b", "/a/b"],
    ["/:tenant", "/acme"],
    ["/läden", "/l%C3%A4den"],
    ["/", ""],
  ])("removes the prefix %j from the URL, however that spells it", async (prefix, start) => {
    const { app } = create();
    const handlers = new Map<string, Parameters<FastifyScope["all"]>[1]>();
    await toFastifyPlugin(app)({
      prefix,
      removeAllContentTypeParsers() {},
      addContentTypeParser() {},
      all: (path, handle) => handlers.set(path, handle),
    });
    const handle = handlers.get("/api/rpc/*");
    const server = createServer((raw, response) => {
      handle?.({ raw }, { raw: response, hijack() {} });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${start}/api/rpc/getShopConfiguration`, {
      headers: { "x-shop-id": "1001" },
    });
    expect([response.status, await response.json()]).toMatchObject([200, { shopId: 1001 }]);
  });

  test("adds a route for the metrics if the storefront has them", async () => {
    const config = testConfig({
      admin: { token: "a-token-of-more-than-32-characters-0" },
      telemetry: [prometheus()],
    });
    expect(await listRoutes(config)).toContain("/metrics");
  });

  test("adds routes for the development page and the OpenAPI document if the storefront has them", async () => {
    const document = ["/api/openapi.json", "/:shop/api/openapi.json"];
    const page = ["/_storefront", "/_storefront/*"];
    const paths = await listRoutes(testConfig({ openApi: true }));
    expect(paths).toEqual(expect.arrayContaining([...document, ...page]));
    const others = await listRoutes(testConfig({ openApi: false }));
    for (const path of [...document, "/metrics"]) expect(others).not.toContain(path);
  });
});

// --- Internal helpers ---

/** The paths of a storefront's routes in Fastify. */
async function listRoutes(config: StorefrontConfig): Promise<readonly string[]> {
  const app = createStorefront(config, { production: false });
  onTestFinished(() => app.close());
  const paths: string[] = [];
  await toFastifyPlugin(app)({
    prefix: "",
    removeAllContentTypeParsers() {},
    addContentTypeParser() {},
    all: (path) => paths.push(path),
  });
  return paths;
}

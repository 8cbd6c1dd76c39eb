import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { H3 } from "h3";
import { expect, onTestFinished, test } from "vitest";
import { toFastifyPlugin, type FastifyScope } from "../../../adapters/fastify.ts";
import { toNodeHandler } from "../../../adapters/node.ts";
import { createStorefront } from "../../../server/storefront.ts";
import type { Storefront } from "../../../server/storefront-app.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testConfig } from "../../_setup.ts";
import type { OpenApiDocument } from "./_document.ts";

const mounts: Readonly<Record<string, (app: Storefront) => RequestListener>> = {
  "h3's mount": (app) => toNodeHandler((request) => new H3().mount("/core", app).fetch(request)),
  // The same as in Express.
  "a middleware that removes the prefix": (app) => {
    const handle = toNodeHandler(app);
    return (request, response) => {
      Object.assign(request, { originalUrl: request.url, url: request.url?.slice("/core".length) });
      handle(request, response);
    };
  },
  "Fastify's prefix": (app) => {
    const handlers = new Map<string, Parameters<FastifyScope["all"]>[1]>();
    void toFastifyPlugin(app)({
      prefix: "/core",
      removeAllContentTypeParsers() {},
      addContentTypeParser() {},
      all: (path, handler) => void handlers.set(path, handler),
    });
    return (raw, reply) => {
      const shopPath = raw.url?.startsWith("/core/de/") ? "/:shop" : "";
      handlers.get(`${shopPath}/api/openapi.json`)?.({ raw }, { raw: reply, hijack() {} });
    };
  },
};

test.each(Object.entries(mounts))(
  "the OpenAPI document has the URL of its server with %s",
  async (_name, mount) => {
    const { log } = createTestLog();
    const app = createStorefront(testConfig({ log }), { production: false });
    onTestFinished(() => app.close());
    const server = createServer(mount(app)).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [path, headers] of [
      ["/core/de/api", {}],
      ["/core/api", { "x-shop-id": "1001" }],
    ] as const) {
      const response = await fetch(`${origin}${path}/openapi.json?x=/api/openapi.json`, {
        headers: { ...headers, connection: "close" },
      });
      const { servers } = (await response.json()) as OpenApiDocument;
      expect(servers).toEqual([{ url: path }]);
    }
  },
);

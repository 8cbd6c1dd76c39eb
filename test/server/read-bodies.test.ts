import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { toNodeHandler } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import type { Storefront } from "../../server/storefront-app.ts";
import { describeWithPeers } from "../_adapters.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { requirePeer } from "../_peers.ts";
import { testConfig } from "../_setup.ts";

const item = { variantId: 7, quantity: 1 };
const body = JSON.stringify({ payload: item });
const json = { "content-type": "application/json", "x-shop-id": "1001" };

function create(): Storefront {
  const { log } = createTestLog();
  const config = testConfig({ log, callTimeout: 5, maxBodySize: 1000 });
  const app = createStorefront(config, { production: false });
  onTestFinished(() => app.close());
  return app;
}

/** Serves until the test ends, and sends calls. */
async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return async (
    text: string | Uint8Array<ArrayBuffer> | undefined,
    headers: Record<string, string> = {},
    path = "/api/rpc/addItemToBasket",
  ) => {
    const init = { method: "POST", headers: { ...json, ...headers }, ...(text && { body: text }) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const answer = await response.text();
    return { status: response.status, body: answer === "" ? undefined : JSON.parse(answer) };
  };
}

interface Express {
  (): RequestListener & { use(...handlers: unknown[]): void };
  json(options?: object): unknown;
  text(options?: object): unknown;
  raw(options?: object): unknown;
}

describeWithPeers("a body already read by Express", () => {
  const express = requirePeer("express") as Express;

  async function open(parser: unknown, path = "/") {
    const app = express();
    app.use(parser);
    app.use(path, toNodeHandler(create()));
    return serve(app);
  }

  test.each([
    ["express.json()", () => express.json()],
    ["express.text()", () => express.text({ type: "*/*" })],
    ["express.raw()", () => express.raw({ type: "*/*" })],
  ])("works as parsed by %s", async (_, parser) => {
    const send = await open(parser());
    expect((await send(body)).body).toMatchObject({ basket: { itemCount: 1 } });
    expect((await send(undefined, {}, "/api/rpc/getBasket")).status).toBe(200);
    expect((await send("{}", {}, "/api/rpc/getBasket")).status).toBe(200);
    const stray = await send('{"payload":{},"other":1}');
    expect(stray).toMatchObject({ status: 400, body: { errors: [{ path: ["other"] }] } });
    expect((await send("[]")).body).toMatchObject({ code: "malformed_request" });
    const wrong = await send('{"payload":{"variantId":7,"quantity":0}}');
    expect(wrong).toMatchObject({ status: 422, body: { code: "invalid_input" } });
  });

  test("counts against the same limits", async () => {
    const send = await open(express.json({ limit: "1mb" }));
    const large = JSON.stringify({ payload: { ...item, customData: "x".repeat(1000) } });
    expect((await send(large)).status).toBe(413);
    const deep = `{"payload":${"[".repeat(100)}${"]".repeat(100)}}`;
    expect((await send(deep)).body).toMatchObject({
      status: 400,
      detail: "The body is nested too deeply",
    });
    const inherited = '{"payload":{"variantId":7,"quantity":1,"__proto__":{"a":1}}}';
    expect((await send(inherited)).status).toBe(422);
  });

  test("works without a parser", async () => {
    const send = await open(express.json({ type: "application/other" }));
    expect((await send(body)).status).toBe(200);
    expect((await send(body, { "content-type": "text/plain" })).status).toBe(415);
  });

  test("works after decompression by Express", async () => {
    const packed = new Uint8Array(gzipSync(body));
    const headers = { "content-encoding": "gzip" };
    expect((await (await open(express.json()))(packed, headers)).status).toBe(200);
    const send = await open(express.json({ type: "application/other" }));
    expect((await send(packed, headers)).status).toBe(415);
  });

  test("works below a path", async () => {
    const send = await open(express.json(), "/core");
    expect((await send(body, {}, "/core/api/rpc/addItemToBasket")).status).toBe(200);
    expect((await send(body, {}, "/core/api/rpc/addItemToBasket/")).status).toBe(404);
  });
});

describe("a body already consumed", () => {
  const help = expect.stringMatching(/has read the body already.*Mount.*Express.*Fastify/);

  test("fails immediately on a Node framework, with mount instructions", async () => {
    const handler = toNodeHandler(create());
    // Fastify does the same, and keeps the result in a request of its own.
    const send = await serve((request, response) => {
      request.resume().on("end", () => void handler(request, response));
    });
    const refused = await send(body);
    expect(refused).toMatchObject({
      status: 400,
      body: { code: "malformed_request", detail: help },
    });
    expect((await send(undefined, {}, "/api/rpc/getBasket")).status).toBe(200);
  });

  test("fails immediately if only a part is left", async () => {
    const handler = toNodeHandler(create());
    const send = await serve((request, response) => {
      request.once("data", () => {
        request.pause();
        void handler(request, response);
      });
    });
    expect(await send(body)).toMatchObject({ status: 400, body: { detail: help } });
  });

  test("fails immediately on a fetch framework, with mount instructions", async () => {
    const app = create();
    const init = { method: "POST", headers: json, body };
    const request = new Request("http://localhost/api/rpc/addItemToBasket", init);
    await request.json();
    const response = await app.fetch(request);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed_request", detail: help });
  });

  test("fails immediately while a fetch framework reads it", async () => {
    const app = create();
    const init = { method: "POST", headers: json, body };
    const request = new Request("http://localhost/api/rpc/addItemToBasket", init);
    request.body?.getReader();
    const response = await app.fetch(request);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed_request", detail: help });
  });

  test("fails immediately if a framework passes on the headers without the body", async () => {
    const headers = { ...json, "content-length": String(body.length) };
    const request = new Request("http://localhost/api/rpc/getBasket", { method: "POST", headers });
    const response = await create().fetch(request);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed_request", detail: help });
  });

  test("fails with the cause if a framework converted it to text", async () => {
    const init = { method: "POST", headers: json, body: String({ payload: item }) };
    const request = new Request("http://localhost/api/rpc/addItemToBasket", init);
    const response = await create().fetch(request);
    expect(await response.json()).toMatchObject({
      status: 400,
      detail: expect.stringMatching(/"\[object Object\]".*JSON\.stringify.*docs\/mounting\.md/),
    });
  });

  test("works if a framework has read a clone of the request", async () => {
    const app = create();
    const handler = toNodeHandler({
      async fetch(request: Request) {
        expect(await request.clone().text()).toBe(body);
        return app.fetch(request);
      },
    } as never);
    const send = await serve(handler as RequestListener);
    expect((await send(body)).body).toMatchObject({ basket: { itemCount: 1 } });
  });

  test("comes from rawBody of cloud functions", async () => {
    const handler = toNodeHandler(create());
    const send = await serve(async (request, response) => {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part as Uint8Array);
      const rawBody = Buffer.concat(parts);
      void handler(Object.assign(request, { rawBody }), response);
    });
    expect((await send(body)).status).toBe(200);
  });
});

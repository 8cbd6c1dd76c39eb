import { once } from "node:events";
import { connect } from "node:net";
import { serve } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createFolder, plain, startCli } from "../_cli.ts";
import { createSetup } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";

const methods = {
  ...testMethods,
  echo: defineRpcMethod({ input: z.json().optional(), handler: (payload) => payload }),
  size: defineRpcMethod({
    access: "public",
    readOnly: true,
    input: z.string(),
    handler: ({ length }) => length,
  }),
};

/** How many characters headers have besides the one that fills them up. */
const sizeOf = (headers: Record<string, string>) => Object.entries(headers).flat().join("").length;

describe("headers", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const origin = "http://localhost";
  const fill = (size: number, name: string) => {
    const headers = { origin, "content-type": "application/json", "x-shop-id": "1001" };
    return { ...headers, [name]: "x".repeat(size - sizeOf({ ...headers, [name]: "" })) };
  };

  test.each(["cookie", "authorization", "x-anything"])(
    "reads up to 16 KiB with %s, and rejects one character more before it parses anything",
    async (name) => {
      const { client } = await start({ methods });
      const send = (size: number, path = "/api/rpc/echo") =>
        client().request(path, { method: "POST", headers: fill(size, name), body: "{}" });
      expect((await send(16_384)).status).toBe(204);
      for (const path of ["/api/rpc/echo", "/api/rpc/nothing", "/nowhere", "/healthz"]) {
        const refused = await send(16_385, path);
        expect(refused.body).toEqual({
          type: "about:blank",
          title: "The headers of the request are too large",
          status: 431,
          code: "headers_too_large",
          detail: "They have 16385 characters; the limit is 16384",
        });
        expect(refused.headers.get("content-type")).toBe("application/problem+json");
        expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
      }
    },
  );

  test("counts many small headers like one large header", async () => {
    const { client } = await start({ methods });
    const many = Array.from({ length: 1000 }, (_, index) => [`x-${index}`, "x".repeat(14)]);
    const answer = await client().call("echo", 1, Object.fromEntries(many));
    expect(answer).toMatchObject({ status: 431, body: { code: "headers_too_large" } });
  });
});

describe("storefront start", () => {
  test("responds itself to headers above Node's default, up to 32 KiB in total", async () => {
    const server = await startCli(["start"], {
      folder: await createFolder({ "storefront.config.mjs": plain }),
    });
    const send = (size: number) =>
      fetch(`${server.origin}/healthz`, { headers: { cookie: "x".repeat(size) } });
    expect((await send(15_000)).status).toBe(200);
    for (const size of [16_384, 17_000, 32_000]) {
      const answer = await send(size);
      expect(answer.status).toBe(431);
      expect(await answer.json()).toMatchObject({ code: "headers_too_large" });
    }
    const beyond = await send(33_000);
    expect(beyond.status).toBe(431);
    expect(await beyond.text()).toBe("");
  });

  test("reads a payload in the query up to Node's limit for the request line", async () => {
    const server = await startCli(["start"], {
      folder: await createFolder({ "storefront.config.mjs": plain }),
    });
    const get = (size: number) =>
      fetch(`${server.origin}/api/rpc/getShopConfiguration?payload="${"x".repeat(size)}"`);
    expect((await get(20_000)).status).toBe(200);
    expect((await get(33_000)).status).toBe(431);
  });
});

describe("h3's serve", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("reads a payload in the query up to Node's default limit of 16 KiB", async () => {
    const { app } = await start({ methods });
    const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
    onTestFinished(() => server.close(true));
    await server.ready();
    const get = (size: number) =>
      fetch(`${server.url}de/api/rpc/size?payload="${"x".repeat(size)}"`);
    expect(await (await get(15_000)).json()).toBe(15_000);
    expect((await get(17_000)).status).toBe(431);
  });
});

describe("a body on the wire", () => {
  const { start } = createSetup("memory", "server", () => ({ driver: "memory" }));
  const fits = JSON.stringify({ payload: "x".repeat(1000 - '{"payload":""}'.length) });

  test.each([
    ["accepts chunks up to the limit", ["transfer-encoding: chunked"], chunked(fits), 200],
    [
      "rejects chunks one byte above the limit",
      ["transfer-encoding: chunked"],
      chunked(`${fits} `),
      413,
    ],
    ["rejects chunks without an end", ["transfer-encoding: chunked"], chunk("x".repeat(5000)), 413],
    ["rejects a Content-Length above the limit", ["content-length: 1001"], "", 413],
    ["rejects a Content-Length below the real length", ["content-length: 900"], fits, 400],
    [
      "rejects chunks with a Content-Length",
      ["content-length: 10", "transfer-encoding: chunked"],
      chunked(`${fits} `),
      400,
    ],
  ])("%s", async (_, lines, body, status) => {
    const { send } = await start({ methods, maxBodySize: 1000 });
    const { url } = await send("/healthz", {});
    expect(await talk(url, lines, body)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test("counts a body that is longer than its Content-Length", async () => {
    const { app } = await start({ methods, maxBodySize: 1000 });
    const headers = { "content-type": "application/json", "content-length": "10" };
    const body = new Blob([`${fits} `]).stream();
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    const answer = await app.fetch(new Request("http://localhost/de/api/rpc/echo", init));
    expect(answer.status).toBe(413);
  });
});

// --- Internal helpers ---

/** Sends raw bytes, and reads the responses until the server closes. */
async function talk(url: string, lines: readonly string[], body: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  const head = ["POST /de/api/rpc/echo HTTP/1.1", "host: localhost", "connection: close"];
  const all = [...head, "content-type: application/json", ...lines];
  socket.write(`${all.join("\r\n")}\r\n\r\n${body}`);
  await once(socket, "close");
  return text;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function chunked(text: string): string {
  return `${(text.match(/[^]{1,100}/g) ?? []).map(chunk).join("")}0\r\n\r\n`;
}

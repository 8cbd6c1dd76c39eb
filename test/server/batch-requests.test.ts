import { expect, test, vi } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup, describeServers } from "../_setup.ts";
import { sendBatch } from "../fixtures/batches.ts";

const methods = { text: defineRpcMethod({ handler: () => 'a "text"' }) };

describeServers("a request for a batch", ({ start }) => {
  const call = { method: "text" };

  test("finds its shop as a single call does", async () => {
    const { client } = await start({ methods });
    const body = JSON.stringify([{ method: "getShopConfiguration" }]);
    const headers = { "content-type": "application/json" };
    const post = (path: string, more = {}) =>
      client().request(path, { method: "POST", headers: { ...headers, ...more }, body });
    expect((await post("/us/api/rpc")).body[0].body.shopId).toBe(1002);
    expect((await post("/api/rpc", { "x-shop-id": "1001" })).body[0].body.shopId).toBe(1001);
    expect(await post("/us/api/rpc", { "x-shop-id": "1001" })).toMatchObject(unknownShop);
    expect(await post("/api/rpc")).toMatchObject(unknownShop);
    expect(await post("/fr/api/rpc")).toMatchObject(unknownShop);
    expect((await post("/us/api/rpc/")).status).toBe(404);
    expect((await post("/us/api/rp%63")).status).toBe(404);
  });

  test("accepts POST only", async () => {
    const { client } = await start({ methods });
    for (const method of ["GET", "PUT", "DELETE"]) {
      const { status, headers, body } = await client().request("/de/api/rpc", { method });
      expect([status, body.code, headers.get("allow")]).toEqual([405, "wrong_verb", "POST"]);
    }
  });

  test.each([
    ["nothing", "", undefined],
    ["an object", { payload: 1 }, undefined],
    ["no call", [], undefined],
    ["more than 20 calls", Array.from({ length: 21 }, () => call), undefined],
    ["a call that is no object", [call, "text"], [[1]]],
    ["a call without a method", [{ payload: 1 }], [[0, "method"]]],
    ["a key that is no text", [{ ...call, key: 7 }], [[0, "key"]]],
    ["a key that no header can have", [{ ...call, key: "a\r\nb" }], [[0, "key"]]],
    ["an unknown field", [call, { ...call, id: 1 }], [[1, "id"]]],
  ])("gets 400 and runs nothing if it contains %s", async (_, sent, paths) => {
    const handler = vi.fn();
    const { client } = await start({ methods: { text: defineRpcMethod({ handler }) } });
    const body = sent === "" ? "" : JSON.stringify(sent);
    const answer = await client().request("/de/api/rpc", { ...json, body });
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed_request" } });
    const found = answer.body.errors?.map(({ path }: { path: unknown }) => path);
    expect(found).toEqual(paths);
    expect(handler).not.toHaveBeenCalled();
  });

  test("can be nested as deeply as single calls", async () => {
    const { client } = await start({ methods: { text: defineRpcMethod({ handler: () => 1 }) } });
    for (const depth of [31, 32]) {
      const payload = nest(depth);
      const alone = { ...json, body: `{"payload":${payload}}` };
      const batch = { ...json, body: `[{"method":"text","payload":${payload}}]` };
      const single = (await client().request("/de/api/rpc/text", alone)).status;
      expect((await client().request("/de/api/rpc", batch)).status).toBe(single);
    }
  });

  test("gets 413 if it is too large, and 415 if it is not JSON", async () => {
    const { client } = await start({ methods, maxBodySize: 1000 });
    const large = JSON.stringify([{ ...call, payload: "x".repeat(1000) }]);
    expect((await client().request("/de/api/rpc", { ...json, body: large })).status).toBe(413);
    const headers = { "content-type": "text/plain" };
    const text = { method: "POST", headers, body: JSON.stringify([call]) };
    expect((await client().request("/de/api/rpc", text)).status).toBe(415);
  });

  test("gets 403 and runs nothing if it comes from another origin, unless the shop allows that", async () => {
    const handler = vi.fn();
    const origin = "https://pages.example";
    const { client } = await start({
      methods: { text: defineRpcMethod({ handler }) },
      cors: { origin: [origin], credentials: true },
    });
    const foreign = await sendBatch(client(), [call], { origin: "https://evil.example" });
    expect(foreign).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
    expect(handler).not.toHaveBeenCalled();
    const allowed = await sendBatch(client(), [call], { origin });
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(handler).toHaveBeenCalledOnce();
    const preflight = await client().request("/api/rpc", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-shop-id",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
  });
});

test("clientAddress gets the request of the batch, as the host made it", async () => {
  const { start } = alone;
  const addresses = new WeakMap<object, string>();
  const ip = defineRpcMethod({ handler: (_, context) => context.ip });
  const { app } = await start({
    methods: { ip },
    clientAddress: (request) => addresses.get(request),
  });
  const body = JSON.stringify([{ method: "ip" }, { method: "ip" }]);
  const request = new Request("http://localhost/de/api/rpc", { ...json, body });
  addresses.set(request, "192.0.2.7");
  const results = await (await app.fetch(request)).json();
  expect(results).toEqual([0, 1].map(() => ({ status: 200, body: "192.0.2.7" })));
});

// --- Internal helpers ---

const alone = createSetup("memory", "alone", () => ({ driver: "memory" }));

const json = { method: "POST", headers: { "content-type": "application/json" } };
const unknownShop = { status: 404, body: { code: "unknown_shop" } };

function nest(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

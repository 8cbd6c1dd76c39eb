import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { H3, toNodeHandler } from "h3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import type { Storefront } from "../../server/storefront-app.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { createTestStorefront } from "../../server/testing/test-storefront.ts";
import { testConfig } from "../_setup.ts";

const shop = "https://www.shop.example";
const token = "an-admin-token-of-more-than-32-characters";

type Send = (path: string, init?: RequestInit) => Response | Promise<Response>;

function create(): Storefront {
  const { log } = createTestLog();
  const config = testConfig({ log, cors: { origin: [shop] }, admin: { token } });
  const app = createStorefront(config, { production: false });
  onTestFinished(() => app.close());
  return app;
}

const viaH3 =
  (mount: (outer: H3, storefront: Storefront) => unknown) => (storefront: Storefront) => {
    const outer = new H3({ silent: true });
    mount(outer, storefront);
    return async (path: string, init?: RequestInit) =>
      outer.fetch(new Request(`http://shop.example/core${path}`, init));
  };

/** How a storefront can be put below the path `/core`; the first one is how it is alone. */
const ways: Record<string, (storefront: Storefront) => Send | Promise<Send>> = {
  alone: (storefront) => (path, init) =>
    storefront.fetch(new Request(`http://shop.example${path}`, init)),
  "by mount": viaH3((outer, storefront) => outer.mount("/core", storefront)),
  "by use": viaH3((outer, storefront) => outer.use("/core", storefront)),
  "below a parameter": viaH3((outer, storefront) => outer.mount("/:any", storefront)),
  "by its fetch": viaH3((outer, { fetch }) => outer.mount("/core", { fetch })),
  "by its fetch, over a socket": async (storefront) => {
    const outer = new H3({ silent: true });
    outer.mount("/core", { fetch: storefront.fetch });
    const server = createServer({ maxHeaderSize: 32_768 }, toNodeHandler(outer)).listen(
      0,
      "127.0.0.1",
    );
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return (path, init) => fetch(`http://127.0.0.1:${port}/core${path}`, init);
  },
};

const body = '{"payload":{"variantId":7,"quantity":1}}';
const post = (headers: Record<string, string> = {}, text = "{}"): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", "x-shop-id": "1001", ...headers },
  body: text,
});

type Ask = [name: string, path: string, init: RequestInit, status: number, code?: string];

/** Requests, and the status and code that a storefront answers them with, however it is mounted. */
const requests: readonly Ask[] = [
  ["a call", "/api/rpc/addItemToBasket", post({}, body), 200],
  ["a call by path", "/us/api/rpc/getBasket", post({ "x-shop-id": "1002" }), 200],
  ["an unknown method", "/api/rpc/nothing", post(), 404, "unknown_method"],
  ["an unknown shop", "/fr/api/rpc/getBasket", post(), 404, "unknown_shop"],
  ["a path below the methods", "/api/rpc/getUser/name", post(), 404, "unknown_path"],
  ["a slash too many", "/api/rpc/getUser/", post(), 404, "unknown_path"],
  ["an encoded letter", "/api/rpc/get%55ser", post(), 404, "unknown_path"],
  ["a body that is no JSON", "/api/rpc/getUser", post({}, "{"), 400, "malformed_request"],
  ["a wrong HTTP method", "/api/rpc/getUser", { method: "PUT" }, 404, "unknown_shop"],
  [
    "another origin",
    "/api/rpc/getUser",
    post({ origin: "https://evil.example" }),
    403,
    "foreign_origin",
  ],
  [
    "large headers",
    "/api/rpc/getUser",
    post({ "x-large": "a".repeat(17_000) }),
    431,
    "headers_too_large",
  ],
  [
    "large headers, no method",
    "/api/rpc/none",
    post({ "x-large": "a".repeat(17_000) }),
    431,
    "headers_too_large",
  ],
  ["a health check", "/healthz", {}, 200],
  [
    "a health check with large headers",
    "/healthz",
    { headers: { "x-large": "a".repeat(17_000) } },
    431,
    "headers_too_large",
  ],
  ["a readiness check", "/readyz/", {}, 200],
  ["a health check by POST", "/healthz", { method: "POST" }, 405, "wrong_verb"],
  ["an admin call", "/api/admin/endAllSessions", post({ authorization: `Bearer ${token}` }), 200],
  ["an admin call without a token", "/api/admin/endAllSessions", post(), 401, "not_an_operator"],
  [
    "an unknown admin call",
    "/api/admin/nothing",
    post({ authorization: `Bearer ${token}` }),
    404,
    "unknown_method",
  ],
  [
    "a malformed admin call",
    "/api/admin/endUserSessions",
    post({ authorization: `Bearer ${token}` }),
    422,
    "invalid_input",
  ],
];

describe.each(Object.keys(ways))("a storefront %s", (way) => {
  const open = async () => (ways[way] as (typeof ways)[string])(create());

  test.each<Ask>([...requests])(
    "responds to %s like an unmounted storefront",
    async (_, path, init, status, code) => {
      const send = await open();
      const answer = await send(path, init);
      // This host decodes the path, and shows nothing of how it came.
      if (way === "by its fetch" && path.includes("%")) return;
      expect(answer.status).toBe(status);
      if (code === undefined) return;
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.json()).toMatchObject({ status, code });
    },
  );

  test("responds to a preflight, sets a cookie, and lets an allowed page read errors", async () => {
    const send = await open();
    const preflight = await send("/de/api/rpc/getUser", {
      method: "OPTIONS",
      headers: { origin: shop, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(shop);
    const added = await send("/api/rpc/addItemToBasket", post({}, body));
    expect(added.headers.get("set-cookie")).toMatch(/^\$session-1001=/);
    const failed = await send("/api/rpc/nothing", post({ origin: shop }));
    expect(failed.headers.get("access-control-allow-origin")).toBe(shop);
  });

  test("responds with 503 and Retry-After if its storage doesn't respond", async () => {
    const storefront = await createTestStorefront(testConfig());
    onTestFinished(() => storefront.close());
    storefront.storage.fail("any");
    const send = await (ways[way] as (typeof ways)[string])(storefront.app);
    const answer = await send("/readyz");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toMatchObject({ code: "storage_unavailable" });
  });
});

test("a storefront responds if a framework replaced the global Response", async () => {
  vi.stubGlobal("Response", class extends Response {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const storefront = create();
  const answer = await storefront.fetch(
    new Request("http://shop.example/api/rpc/addItemToBasket", post({}, body)),
  );
  expect(await answer.json()).toMatchObject({ basket: { itemCount: 1 } });
});

test("a storefront keeps the cookies of the framework", async () => {
  const handle = toNodeHandler(create());
  const server = createServer((incoming, outgoing) => {
    outgoing.setHeader("set-cookie", ["own=1", "own2=2"]);
    return handle(incoming, outgoing);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/rpc/addItemToBasket`;
  const { headers } = await fetch(url, post({ origin: shop }, body));
  const names = headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0]);
  expect(names).toEqual(["own", "own2", "$session-1001"]);
});

test("a storefront mounted below /api doesn't respond at /api/rpc", async () => {
  const outer = new H3({ silent: true });
  outer.mount("/api", { fetch: create().fetch });
  const server = createServer(toNodeHandler(outer)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const statusOf = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, post())).status;
  expect(await statusOf("/api/rpc/getUser")).toBe(404);
  expect(await statusOf("/api/api/rpc/getUser")).toBe(200);
});

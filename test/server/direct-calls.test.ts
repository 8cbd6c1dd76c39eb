import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { openStorefront } from "../../server/storefront.ts";
import type { Storefront } from "../../server/storefront-app.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { serveApp, serveOnPort } from "../_raw.ts";
import { testConfig } from "../_setup.ts";

/** Serves a storefront: by `storefront start`, which routes most calls without h3, or by h3's `serve`. */
async function open(
  server: "storefront start" | "h3's serve",
  prepare: (app: Storefront) => void = () => {},
) {
  const { log } = createTestLog();
  const methods = {
    enter: defineRpcMethod({
      handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
    }),
  };
  const storefront = openStorefront(testConfig({ log, methods }), { production: false });
  const { app } = storefront;
  onTestFinished(() => app.close());
  prepare(app);
  const port = await (server === "h3's serve" ? serveApp(app) : serveOnPort(storefront));
  return {
    /** Sends a request with any host, which `fetch` can't do. */
    async call(method: string, headers: Record<string, string> = {}) {
      const url = `http://127.0.0.1:${port}/de/api/rpc/${method}`;
      const sent = request(url, { method: "POST", headers }).end();
      const [{ statusCode, headers: received }] = await once(sent, "response");
      return { status: statusCode, cookies: received["set-cookie"] };
    },
  };
}

test("custom middleware runs before calls", async () => {
  const seen: string[] = [];
  const { call } = await open("h3's serve", (app) =>
    app.use(({ url }) => void seen.push(url.pathname)),
  );
  expect(await call("getUser")).toMatchObject({ status: 200 });
  expect(seen).toEqual(["/de/api/rpc/getUser"]);
});

test("custom middleware runs before calls if a plugin replaced h3's list", async () => {
  const { call } = await open("h3's serve", (app) => {
    app["~middleware"] = [...app["~middleware"]];
    app.use(() => new Response(null, { status: 418 }));
  });
  expect(await call("getUser")).toMatchObject({ status: 418 });
});

test("a custom route for a call's URL responds instead of the call", async () => {
  const { call } = await open("h3's serve", (app) =>
    app.post("/de/api/rpc/getUser", () => new Response(null, { status: 418 })),
  );
  expect(await call("getUser")).toMatchObject({ status: 418 });
});

test("storefront start serves a custom route", async () => {
  const { call } = await open("storefront start", (app) =>
    app.post("/de/api/rpc/own", () => new Response(null, { status: 418 })),
  );
  expect(await call("own")).toMatchObject({ status: 418 });
  expect(await call("getUser")).toMatchObject({ status: 200 });
});

describe.each(["storefront start", "h3's serve"] as const)("served by %s", (server) => {
  test.each(["127.0.0.1", "shop.example:8080", "xn--mnchen-3ya.example", "10.1.2.3", "[::1]:80"])(
    "a login at %s sets its cookie",
    async (host) => {
      const { call } = await open(server);
      const { status, cookies } = await call("enter", { host });
      expect(status).toBe(200);
      expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    },
  );

  test.each(["web.1", "999.999.999.999", "1.2.3.4.5", "shop.0x", "xn--a"])(
    "a call to the invalid host %s runs nothing",
    async (host) => {
      const { call } = await open(server);
      expect(await call("enter", { host })).toEqual({ status: 400, cookies: undefined });
    },
  );

  test("a call with headers above the limit runs nothing", async () => {
    const { call } = await open(server);
    const headers = { "x-large": "a".repeat(16_000) };
    expect(await call("enter", headers)).toMatchObject({ status: 200 });
    const tooLarge = await call("enter", { "x-large": "a".repeat(16_385) });
    expect(tooLarge).toEqual({ status: 431, cookies: undefined });
  });
});

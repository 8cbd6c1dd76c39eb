import { once } from "node:events";
import { request } from "node:http";
import { serve } from "h3";
import { expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../rpc/method.ts";
import { createStorefront, type Storefront } from "../../server/storefront.ts";
import { createTestLog } from "../_log.ts";
import { testConfig } from "../_setup.ts";

/** Serves a storefront by Node, where most calls are answered without h3. */
async function open(prepare: (app: Storefront) => void = () => {}) {
  const { log } = createTestLog();
  const methods = {
    enter: defineRpcMethod({
      handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
    }),
  };
  const app = createStorefront(testConfig({ log, methods }), { production: false });
  onTestFinished(() => app.close());
  prepare(app);
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  onTestFinished(() => server.close(true));
  await server.ready();
  return {
    /** As `fetch` cannot: with any host. */
    async call(method: string, headers: Record<string, string> = {}) {
      const url = `${server.url}de/api/rpc/${method}`;
      const sent = request(url, { method: "POST", headers }).end();
      const [{ statusCode, headers: received }] = await once(sent, "response");
      return { status: statusCode, cookies: received["set-cookie"] };
    },
  };
}

test("middleware that a deployment adds runs before calls", async () => {
  const seen: string[] = [];
  const { call } = await open((app) => app.use(({ url }) => void seen.push(url.pathname)));
  expect(await call("getUser")).toMatchObject({ status: 200 });
  expect(seen).toEqual(["/de/api/rpc/getUser"]);
});

test("so it does where a plugin has put a list of its own in the place of h3's", async () => {
  const { call } = await open((app) => {
    app["~middleware"] = [...app["~middleware"]];
    app.use(() => new Response(null, { status: 418 }));
  });
  expect(await call("getUser")).toMatchObject({ status: 418 });
});

test("a route that a deployment adds for a call's URL answers it", async () => {
  const { call } = await open((app) =>
    app.post("/de/api/rpc/getUser", () => new Response(null, { status: 418 })),
  );
  expect(await call("getUser")).toMatchObject({ status: 418 });
});

test.each(["127.0.0.1", "shop.example:8080", "xn--mnchen-3ya.example", "10.1.2.3", "[::1]:80"])(
  "a login at %s is given its cookie",
  async (host) => {
    const { call } = await open();
    const { status, cookies } = await call("enter", { host });
    expect(status).toBe(200);
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
  },
);

test.each(["web.1", "999.999.999.999", "1.2.3.4.5", "shop.0x", "xn--a"])(
  "a call to %s, which is no host of a URL, does nothing",
  async (host) => {
    const { call } = await open();
    expect(await call("enter", { host })).toEqual({ status: 400, cookies: undefined });
  },
);

test("a call on the direct way with headers beyond the limit does nothing", async () => {
  const { call } = await open();
  const headers = { "x-large": "a".repeat(16_000) };
  expect(await call("enter", headers)).toMatchObject({ status: 200 });
  const tooLarge = await call("enter", { "x-large": "a".repeat(16_385) });
  expect(tooLarge).toEqual({ status: 431, cookies: undefined });
});

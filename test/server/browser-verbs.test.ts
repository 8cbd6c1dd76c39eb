import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createStorefront } from "../../server/storefront.ts";
import { describeWithChromium } from "../_chromium.ts";
import { root } from "../_cli.ts";
import { listen } from "../_https.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { emptyPage } from "../_page-server.ts";
import { forProduction, testSecret } from "../_setup.ts";

const target = "https://pay.example/session?a=b#c";

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  whoami: defineRpcMethod({ verb: "GET", handler: (_, { user }) => user?.id ?? "guest" }),
  put: defineRpcMethod({
    verb: "PUT",
    input: z.json(),
    handler: (payload, { user }) => ({ payload, id: user?.id }),
  }),
  remove: defineRpcMethod({
    verb: "DELETE",
    input: z.json().optional(),
    handler: (payload, { user }) => ({ payload, id: user?.id }),
  }),
  pay: defineRpcMethod({
    verb: "GET",
    handler: () => Response.redirect(target, 303),
  }),
  goHome: defineRpcMethod({
    verb: "GET",
    handler: () => new Response(null, { status: 302, headers: { location: "/home" } }),
  }),
};

describeWithChromium("a page in a browser", ["openssl"], (open) => {
  /** A page, and a server at the same origin or another one. */
  async function start(pageAddress: string, serverAddress: string) {
    const answer = async (request: Request) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/api/")) return app.fetch(request);
      if (pathname !== "/client.js") return emptyPage();
      const script = await readFile(join(root, "dist/rpc/client.js"), "utf8");
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    };
    const origin = await listen(pageAddress, answer);
    const server = pageAddress === serverAddress ? origin : await listen(serverAddress, answer);
    const app = createStorefront(
      {
        ...forProduction,
        shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
        session: { secret: testSecret },
        cors: { origin: [origin] },
        methods,
        log: createTestLog().log,
      },
      { production: true },
    );
    onTestFinished(() => app.close());
    const page = await open();
    await page.goto(origin);
    const call = (method: string, path: string, body?: string) =>
      page.evaluate(
        async ([url, verb, text]) => {
          const headers = { "x-shop-id": "1001", "content-type": "application/json" };
          const init = {
            method: verb,
            credentials: "include",
            ...(text && { body: text }),
          } as const;
          const response = await fetch(url, { ...init, headers });
          return response.json();
        },
        [`${server}/api/rpc/${path}`, method, body] as const,
      );
    await call("POST", "enter", "{}");
    return { page, server, call };
  }

  test.each([
    ["https://shop.test", "https://shop.test", "its own server"],
    ["https://www.shop.test", "https://api.shop.test", "a server of another origin that allows it"],
  ])("at %s can send each HTTP method to %s, %s", async (pageAddress, serverAddress) => {
    const { call } = await start(pageAddress, serverAddress);
    const payload = { text: "ü&?=" };
    const body = JSON.stringify({ payload });
    const query = `payload=${encodeURIComponent(JSON.stringify(payload))}`;
    expect(await call("GET", "whoami")).toBe(7);
    expect(await call("PUT", "put", body)).toEqual({ payload, id: 7 });
    expect(await call("DELETE", "remove", body)).toEqual({ payload, id: 7 });
    expect(await call("DELETE", `remove?${query}`)).toEqual({ payload, id: 7 });
  });

  test.each([
    ["https://shop.test", "https://shop.test"],
    ["https://www.shop.test", "https://api.shop.test"],
  ])(
    "at %s learns from %s the target of a redirect, with the typed client",
    async (...addresses) => {
      const { page, server } = await start(...addresses);
      // This is a string, because the test runner would rewrite the import.
      const results =
        await page.evaluate(`import("/client.js").then(async ({ createRpcClient }) => {
      const rpc = createRpcClient({ baseURL: ${JSON.stringify(server)}, shopId: 1001 });
      const responses = [await rpc.pay(), await rpc.goHome()];
      return responses.map(({ status, headers }) => [status, headers.get("location")]);
    })`);
      expect(results).toEqual([
        [303, target],
        [302, `${server}/home`],
      ]);
    },
  );

  test("follows the redirect of a link", async () => {
    const { page, server } = await start("https://shop.test", "https://shop.test");
    await page.goto(`${server}/api/rpc/goHome`);
    expect(page.url()).toBe(`${server}/home`);
  });
});

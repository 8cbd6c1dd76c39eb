import { expect, test, vi } from "vitest";
import * as z from "zod";
import { createRpcClient, type RpcClientOptions } from "../../rpc/client.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";
import { createCallerFetch, createRpcCaller } from "../../server/rpc-caller.ts";
import type { Storefront } from "../../server/storefront-app.ts";
import { describeStorages } from "../_setup.ts";

const methods = {
  showVisitor: defineRpcMethod({
    readOnly: true,
    handler: (_, { ip, shop, sessionId }) => ({ ip, shopId: shop.shopId, sessionId }),
  }),
  getVisitor: defineRpcMethod({ verb: "GET", handler: (_, { sessionId }) => sessionId ?? null }),
  putItem: defineRpcMethod({ verb: "PUT", input: z.int().optional(), handler: (item) => item }),
  removeItem: defineRpcMethod({
    verb: "DELETE",
    input: z.int().optional(),
    handler: (item) => ["removed", item],
  }),
  clock: defineRpcMethod({ access: "public", readOnly: true, handler: () => new Date(0) }),
  signInAs: defineRpcMethod({
    signsIn: true,
    handler: async (_, { createUserBoundSession }) => {
      await createUserBoundSession({ id: 5 });
    },
  }),
};
type Methods = BuiltinMethods & typeof methods;

/** A request for a page, with the client's address. */
function pageRequest(headers: Record<string, string> = {}): Request {
  const request = new Request("http://shop.example/de/basket?sort=new", { headers });
  return Object.assign(request, { ip: "203.0.113.9" });
}

/** A page whose code uses the typed client with the page's `fetch`, as it does in the browser. */
function open(app: Storefront, page: Request, options: Partial<RpcClientOptions> = {}) {
  const send = createCallerFetch(app, page);
  const fetch = vi.fn((given: Request | string, init?: RequestInit) =>
    send(typeof given === "string" ? new Request(new URL(given, page.url), init) : given),
  );
  const rpc = createRpcClient<Methods>({ baseURL: "", shopId: 1001, fetch, ...options });
  return { rpc, fetch, caller: createRpcCaller<Methods>(app, page) };
}

describeStorages("the fetch of a page", ({ start }) => {
  test.each([false, true])(
    "keeps parallel writes in the session of the page's caller, with batch: %s",
    async (batch) => {
      const { app, client } = await start({ methods });
      const { rpc, caller, fetch } = open(app, pageRequest(), { batch });
      await Promise.all([
        rpc.addItemToBasket({ variantId: 1, quantity: 1 }),
        rpc.addItemToBasket({ variantId: 2, quantity: 1 }),
        caller.addItemToBasket({ variantId: 3, quantity: 1 }),
      ]);
      expect(fetch).toHaveBeenCalledTimes(batch ? 1 : 2);
      expect((await rpc.getBasket()).basket.itemCount).toBe(3);
      expect(caller.headers.get("cache-control")).toBe("private, no-store");
      const cookies = caller.headers.getSetCookie();
      expect(cookies).toHaveLength(1);
      const browser = client();
      const { body } = await browser.call("getBasket", undefined, {
        cookie: cookies[0]?.split(";")[0] as string,
      });
      expect(body.basket.itemCount).toBe(3);
    },
  );

  test("keeps one session if the framework adds the page's cookies to each request", async () => {
    const { app } = await start({ methods });
    const headers = { cookie: "theme=dark" };
    const { rpc, caller } = open(app, pageRequest(headers), { headers });
    await rpc.addItemToBasket({ variantId: 1, quantity: 1 });
    const { basket } = await rpc.addItemToBasket({ variantId: 2, quantity: 1 });
    expect(basket.itemCount).toBe(2);
    expect(caller.headers.getSetCookie()).toHaveLength(1);
  });

  test("finds the visitor's session, shop, and address", async () => {
    const { app, client } = await start({ methods });
    const browser = client();
    await browser.call("addItemToBasket", { variantId: 1, quantity: 1 });
    const page = pageRequest({ cookie: browser.cookieHeader });
    const visitor = { ip: "203.0.113.9", shopId: 1001, sessionId: browser.sessionId };
    for (const batch of [false, true]) {
      const { rpc } = open(app, page, { batch });
      const [first, second] = await Promise.all([rpc.showVisitor(), rpc.getBasket()]);
      expect(first).toEqual(visitor);
      expect(second.basket.itemCount).toBe(1);
    }
    const { fetch } = open(app, page);
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    expect(await (await fetch("/api/rpc/showVisitor", init)).json()).toEqual(visitor);
    const other = await fetch("/us/api/rpc/showVisitor", init);
    expect(await other.json()).toMatchObject({ shopId: 1002 });
  });

  test("responds to GET, to unknown paths, and to health checks as over HTTP", async () => {
    const { app } = await start({ methods });
    const { fetch, caller } = open(app, pageRequest());
    expect(await (await fetch("/api/rpc/clock")).json()).toBe("1970-01-01T00:00:00.000Z");
    expect((await fetch("/api/rpc/clock?payload=%7B")).status).toBe(400);
    expect((await fetch("/api/rpc/getBasket")).status).toBe(405);
    expect((await fetch("/api/rpc/a/b", { method: "POST" })).status).toBe(404);
    expect((await fetch("/healthz")).status).toBe(200);
    expect(caller.headers.getSetCookie()).toEqual([]);
  });

  test("responds to other HTTP methods as the visitor", async () => {
    const { app, client } = await start({ methods });
    const browser = client();
    await browser.call("addItemToBasket", { variantId: 1, quantity: 1 });
    const { fetch, caller } = open(app, pageRequest({ cookie: browser.cookieHeader }));
    const response = await fetch("/api/rpc/getVisitor");
    expect(await response.json()).toBe(browser.sessionId);
    expect(caller.headers.get("cache-control")).toBe("private, no-store");
    const put = { method: "PUT", headers: { "content-type": "application/json" } };
    const answer = await fetch("/api/rpc/putItem", { ...put, body: '{"payload":7}' });
    expect(await answer.json()).toBe(7);
    const removal = await fetch("/api/rpc/removeItem?payload=7", { method: "DELETE" });
    expect(await removal.json()).toEqual(["removed", 7]);
    expect((await fetch("/api/rpc/getVisitor", { method: "PUT" })).status).toBe(405);
    const posted = await fetch("/api/rpc/getVisitor", { method: "POST" });
    expect(await posted.json()).toBe(browser.sessionId);
  });

  test.each([
    ["a token", "no-token"],
    ["a store without a token", undefined],
  ])("leaves out the visitor's cookie if the client has %s", async (_, token) => {
    const { app, client } = await start({
      methods,
      session: { tokenMethod: ["cookie", "bearer"] },
    });
    const browser = client();
    await browser.call("addItemToBasket", { variantId: 1, quantity: 1 });
    const store = { get: () => token, set: () => undefined };
    const { rpc, caller } = open(app, pageRequest({ cookie: browser.cookieHeader }), {
      token: store,
    });
    expect((await rpc.getBasket()).basket.itemCount).toBe(0);
    expect(caller.headers.getSetCookie()).toEqual([]);
  });

  test.each([false, true])(
    "redirects a page with a replaced session, without a repeat, with batch: %s",
    async (batch) => {
      const { app, client } = await start({ methods });
      const browser = client();
      await browser.call("addItemToBasket", { variantId: 1, quantity: 1 });
      const page = pageRequest({ cookie: browser.cookieHeader });
      await browser.call("signInAs");
      const { rpc, caller, fetch } = open(app, page, { batch });
      const calls = [rpc.getBasket(), rpc.getUser()];
      const results = await Promise.allSettled(calls);
      for (const result of results) {
        expect(result).toMatchObject({ status: "rejected", reason: { code: "session_changed" } });
      }
      expect(fetch).toHaveBeenCalledTimes(batch ? 1 : 2);
      expect(caller.redirect).toBe("/de/basket?sort=new");
    },
  );

  test("names the value to pass instead of one that isn't a Request", async () => {
    const { app } = await start();
    expect(() => createCallerFetch(app, { req: pageRequest() } as never)).toThrow(/docs\/ssr\.md/);
  });
});

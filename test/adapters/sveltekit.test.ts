import { expect, onTestFinished, test } from "vitest";
import { toHooks, type SvelteKitEvent } from "../../adapters/sveltekit.ts";
import { createRpcClient } from "../../rpc/client.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";
import type { RpcCaller } from "../../server/rpc-caller.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";
import { toFetch } from "../_fetch.ts";

const methods = {
  showAddress: defineRpcMethod({ readOnly: true, handler: (_, { ip }) => ip ?? "none" }),
};
type Methods = BuiltinMethods & typeof methods;
type Locals = { rpc: RpcCaller<Methods> };

const origin = "http://shop.example";
const item = { variantId: 7, quantity: 1 };

function open(config: Partial<StorefrontConfig> = {}) {
  const { log, lines } = createTestLog();
  const settings = { production: false };
  const storefront = createStorefront(testConfig({ log, methods, ...config }), settings);
  onTestFinished(() => storefront.close());
  return { ...toHooks(storefront), lines };
}

function eventOf(
  path: string,
  { ip = "203.0.113.9", ...init }: RequestInit & { ip?: string } = {},
) {
  const request = new Request(`${origin}${path}`, init);
  return toEvent(request, () => ip);
}

function toEvent(request: Request, getClientAddress: () => string) {
  const locals = {} as Locals;
  const url = new URL(request.url);
  return { request, url, locals, isDataRequest: false, getClientAddress } satisfies SvelteKitEvent;
}

function renderPage() {
  return new Response("a page");
}

async function renderUser({ locals }: SvelteKitEvent) {
  return Response.json(await (locals as Locals).rpc.getUser());
}

async function renderShop({ locals }: SvelteKitEvent) {
  return Response.json(await (locals as Locals).rpc.getShopConfiguration());
}

function findNoAddress(): string {
  throw new Error("x-real-ip is absent");
}

test.each([
  ["/de/products", "/api", 1001],
  ["/us/products", "/api", 1002],
  ["/shop/us/products", "/shop/api", 1002],
  ["/shop/us", "/shop/api", 1002],
  ["/a/b/us/products", "/a/b/api/v1", 1002],
  ["/shop/products", "/shop/api", 1001],
  ["/shop", "/shop/api", 1001],
  ["/shopping/us/products", "/shop/api", 1001],
  ["/other/us/products", "/shop/api", 1001],
])("finds the shop of the page %s, with the basePath %s", async (path, basePath, shopId) => {
  const { handle } = open({ basePath, shopSelector: "path_or_default" });
  const event = eventOf(path);
  const page = await handle({ event, resolve: renderShop });
  expect(await page.json()).toMatchObject({ shopId });
});

test("responds to the storefront's paths, and leaves others to SvelteKit", async () => {
  const { handle } = open();
  const call = eventOf("/de/api/rpc/showAddress", { method: "POST" });
  expect(await (await handle({ event: call, resolve: renderPage })).json()).toBe("203.0.113.9");
  const page = await handle({ event: eventOf("/de/api/other"), resolve: renderPage });
  expect(await page.text()).toBe("a page");
  expect([...page.headers.keys()]).toEqual(["content-type"]);
});

test("gives a page a client, and adds the session's cookie to the page's own", async () => {
  const { handle } = open();
  const event = eventOf("/de");
  const response = await handle({
    event,
    async resolve({ locals: { rpc } }) {
      await Promise.all([rpc.addItemToBasket(item), rpc.addItemToBasket(item)]);
      expect(await rpc.showAddress()).toBe("203.0.113.9");
      return new Response("a page", { headers: { "set-cookie": "theme=dark" } });
    },
  });
  expect(response.headers.get("cache-control")).toBe("private, no-store");
  expect(response.headers.getSetCookie()).toEqual([
    "theme=dark",
    expect.stringMatching(/^\$session-1001=/),
  ]);
});

test("makes requests that a page sends to this server the same visitor's", async () => {
  const { handle, handleFetch } = open();
  const event = eventOf("/de");
  const response = await handle({
    event,
    async resolve({ locals }) {
      /** Sends a request as SvelteKit does: to its own endpoints in this process. */
      const send = (from: SvelteKitEvent, path: string, init?: RequestInit): Promise<Response> =>
        handleFetch({
          event: from,
          request: new Request(new URL(path, origin), init),
          fetch(request) {
            const endpoint = toEvent(request, from.getClientAddress);
            return handle({
              event: endpoint,
              async resolve() {
                if (path === "/outer") return send(endpoint, "/inner");
                const fetch = toFetch((url, options) => send(endpoint, url, options));
                const rpc = createRpcClient<Methods>({ baseURL: "", shopId: 1001, fetch });
                await Promise.all([
                  endpoint.locals.rpc.addItemToBasket(item),
                  rpc.addItemToBasket(item),
                ]);
                return new Response("an endpoint");
              },
            });
          },
        });
      const [inner] = await Promise.all([send(event, "/outer"), locals.rpc.addItemToBasket(item)]);
      expect(inner.headers.getSetCookie()).toEqual([]);
      return Response.json((await locals.rpc.getBasket()).basket.itemCount);
    },
  });
  expect(await response.json()).toBe(3);
  expect(response.headers.getSetCookie()).toHaveLength(1);
});

test("sends requests to other origins as they are", async () => {
  const { handleFetch } = open();
  const request = new Request("https://elsewhere.example/api/rpc/getBasket", { method: "POST" });
  const response = await handleFetch({
    event: eventOf("/de"),
    request,
    fetch: async (sent) => new Response(String(sent === request)),
  });
  expect(await response.text()).toBe("true");
});

test("logs once why SvelteKit gives no address, and still responds", async () => {
  const { handle, lines } = open();
  for (const path of ["/de/api/rpc/showAddress", "/de/api/rpc/showAddress"]) {
    const event = toEvent(new Request(`${origin}${path}`, { method: "POST" }), findNoAddress);
    const response = await handle({ event, resolve: renderPage });
    expect(await response.json()).toBe("none");
  }
  const warnings = lines.filter(({ message }) => message.startsWith("SvelteKit"));
  expect(warnings).toHaveLength(1);
  expect(JSON.stringify(warnings)).toContain("x-real-ip is absent");
});

test("redirects a request for data to its page, on this host", async () => {
  const { handle } = open();
  const call = async (method: string, payload: object, cookie: string) => {
    const headers = { "content-type": "application/json", cookie };
    const body = JSON.stringify({ payload });
    const event = eventOf(`/de/api/rpc/${method}`, { method: "POST", headers, body });
    const response = await handle({ event, resolve: renderUser });
    return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  };
  const cookie = await call("addItemToBasket", item, "");
  await call("register", { email: "ada@example.com", password: "correct horse 9" }, cookie);
  const event = {
    ...eventOf("/de/__data.json?x-sveltekit-invalidated=01", { headers: { cookie } }),
    isDataRequest: true,
    url: new URL(`${origin}//evil.example/de?page=1`),
  };
  const response = await handle({ event, resolve: renderUser });
  expect(response.status).toBe(307);
  expect(response.headers.get("location")).toBe("/evil.example/de?page=1");
});

import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { findPageRpc, preparePage } from "../../adapters/nuxt-app.ts";
import {
  mountInNitro,
  type NitroEvent,
  type NitroMountOptions,
  type NitroStorefront,
} from "../../adapters/nuxt-server.ts";
import { defineRpcMethod, type BuiltinMethods, type StorefrontConfig } from "../../server/index.ts";
import { testSecret } from "../_setup.ts";

const config: StorefrontConfig = {
  shops: [
    { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
    { shopId: 1002, locale: "en-GB", currency: "GBP", path: "uk" },
  ],
  session: { secret: testSecret },
};

type PageEvent = NitroEvent & { readonly context: { readonly storefront: NitroStorefront } };

test("rejects a page of one visitor that Nitro caches or prerenders for all", async () => {
  for (const isPrerendering of [false, true]) {
    const { receive } = mount(config, { isPrerendering });
    const incoming = await receive("/de");
    // Nitro renders a page for its cache with an event of its own, which shares the context.
    const event = isPrerendering ? incoming : { ...incoming };
    const rpc = findPageRpc<BuiltinMethods>(event, {});
    expect((await rpc.getShopConfiguration()).shopId).toBe(1001);
    expect(await render(event)).toBeUndefined();
    await rpc.getBasket();
    await expect(render(event)).rejects.toThrow(
      /all visitors get the same copy of \/de.*docs\/ssr/,
    );
    expect(event.node.res.getHeaderNames()).toEqual([]);
  }
});

test("adds the headers of a page's calls to its response, once for all components", async () => {
  const { receive } = mount(config);
  const event = await receive("/uk/basket");
  event.node.res.setHeader("set-cookie", "theme=dark");
  const rpc = findPageRpc<BuiltinMethods>(event, {});
  await rpc.addItemToBasket({ variantId: 1, quantity: 1 });
  const other = findPageRpc<BuiltinMethods>(event, { shopId: 1002 });
  const { basket } = await other.addItemToBasket({ variantId: 2, quantity: 1 });
  expect(basket.itemCount).toBe(2);
  expect(await render(event)).toBeUndefined();
  expect(event.node.res.getHeader("set-cookie")).toEqual([
    "theme=dark",
    expect.stringMatching(/^\$session-1002=/),
  ]);
  expect(event.node.res.getHeader("cache-control")).toBe("private, no-store");
});

test("gives a handler of yours the visitor's methods, with the client's address", async () => {
  const whatIp = defineRpcMethod({ handler: (_, { ip }) => ip });
  const { receive } = mount({ ...config, methods: { whatIp } });
  const event = await receive("/api/gift", "POST");
  Object.assign(event.node.req, { socket: { remoteAddress: "203.0.113.7" } });
  const page = event.context.storefront.pageOf(event);
  const rpc = page.callerOf<BuiltinMethods & { whatIp: typeof whatIp }>(1001);
  expect(await rpc.whatIp()).toBe("203.0.113.7");
  await rpc.addItemToBasket({ variantId: 7, quantity: 1 });
  const again = event.context.storefront.pageOf(event).callerOf<BuiltinMethods>(1001);
  expect((await again.addItemToBasket({ variantId: 7, quantity: 1 })).basket.itemCount).toBe(2);
  expect(page.finish()).toBeUndefined();
  expect(event.node.res.getHeader("set-cookie")).toMatch(/^\$session-1001=/);
});

test("responds to a call of the server itself, which has no connection", async () => {
  const { receive, handler } = mount(config);
  const call = await receive("/de/api/rpc/addItemToBasket", "POST");
  Object.assign(call.node.req, { __unenv__: {} });
  const response = await handler(call);
  expect(await response?.json()).toMatchObject({ basket: { itemCount: 3 } });
  expect(await handler(await receive("/de/api/other"))).toBeUndefined();
});

test("gives the page the settings that its browser needs", async () => {
  const { receive } = mount({ ...config, basePath: "/shop-api" });
  const event = await receive("/de");
  const payload: Record<string, unknown> = {};
  await render(event, payload);
  expect(payload).toEqual({ storefront: { basePath: "/shop-api", shopPaths: ["de", "uk"] } });
});

test("rejects a wrong config at startup, and accepts a function", async () => {
  expect(() => mount({ shops: [] })).toThrow(/shops/);
  const { receive } = mount(async () => config);
  const { context } = await receive("/de");
  expect(context.storefront.app.options.shops).toHaveLength(2);
});

test("names the cause if a component calls methods outside a request", () => {
  expect(() => findPageRpc(undefined, {})).toThrow(/^useRpc: this request has no storefront/);
});

// --- Internal helpers ---

function mount(
  source: Parameters<typeof mountInNitro>[0],
  options: Partial<NitroMountOptions> = {},
) {
  const { plugin, handler } = mountInNitro(source, {
    isDevelopment: true,
    isPrerendering: false,
    readBody: async () => '{"payload":{"variantId":7,"quantity":3}}',
    ...options,
  });
  const hooks = new Map<string, (event: NitroEvent) => Promise<void>>();
  const hook = (name: string, callback: (event: NitroEvent) => Promise<void>) =>
    hooks.set(name, callback);
  plugin({ hooks: { hook } });
  const run = (name: string, event?: NitroEvent) => hooks.get(name)?.(event as NitroEvent);
  onTestFinished(() => run("close"));
  async function receive(path: string, method = "GET"): Promise<PageEvent> {
    const req = new IncomingMessage(new Socket());
    req.headers = { host: "shop.example" };
    const headers = new Headers({ "content-type": "application/json" });
    const event = {
      method,
      path,
      headers,
      node: { req, res: new ServerResponse(req) },
      context: {},
    };
    await run("request", event);
    return event as unknown as PageEvent;
  }
  return { receive, handler };
}

/** Renders a page as Nuxt does. @returns the path of a redirect */
async function render(event: PageEvent, payload: Record<string, unknown> = {}) {
  const rendered: (() => Promise<void>)[] = [];
  let redirect: string | undefined;
  const nuxtApp = {
    payload,
    hook: (_: string, callback: () => Promise<void>) => rendered.push(callback),
    runWithContext: (callback: () => unknown) => callback(),
  };
  preparePage(nuxtApp, event, (path) => (redirect = path));
  for (const callback of rendered) await callback();
  return redirect;
}

import * as React from "@tanstack/react-query";
import * as Vue from "@tanstack/vue-query";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createSSRApp, effectScope, h, ref, watch } from "vue";
import * as z from "zod";
import { createRpcQueries as createReactQueries } from "../../adapters/react-query.ts";
import { createRpcQueries as createVueQueries } from "../../adapters/vue-query.ts";
import { createRpcClient } from "../../rpc/client.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";
import { createBrowser } from "../_browser.ts";
import { createSetup } from "../_setup.ts";

const methods = {
  getProduct: defineRpcMethod({
    access: "public",
    readOnly: true,
    input: z.strictObject({ id: z.int() }),
    handler: ({ id }) => ({ name: `Product ${id}` }),
  }),
  getNothing: defineRpcMethod({ handler: () => undefined }),
};

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

describe("TanStack Query for React", () => {
  test("reads and changes the basket", async () => {
    const rpc = createReactQueries(await openClient());
    const queryClient = new React.QueryClient();
    const { basket } = await queryClient.fetchQuery(rpc.getBasket.queryOptions());
    expect(basket).toEqual({ key: null, items: [], itemCount: 0, revision: 0 });
    const options = rpc.addItemToBasket.mutationOptions();
    const observer = new React.MutationObserver(queryClient, options);
    await observer.mutate({ variantId: 7, quantity: 2 });
    const data = queryClient.getQueryData(rpc.getBasket.queryOptions().queryKey);
    expect(data?.basket).toMatchObject({ itemCount: 2, revision: 1 });
    expect((await rpc.getBasket()).basket).toEqual(data?.basket);
  });

  test("shows the data of the server in the first render of the page", async () => {
    const client = await openClient();
    const rpc = createReactQueries(client);
    function Product() {
      const { data } = React.useQuery(rpc.getProduct.queryOptions({ id: 7 }));
      return createElement("p", null, data?.name ?? "loading");
    }
    const render = (queryClient: React.QueryClient) =>
      renderToString(
        createElement(React.QueryClientProvider, { client: queryClient }, createElement(Product)),
      );
    const server = new React.QueryClient();
    await server.prefetchQuery(rpc.getProduct.queryOptions({ id: 7 }));
    const page = new React.QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
    React.hydrate(page, JSON.parse(JSON.stringify(React.dehydrate(server))));
    expect(render(page)).toBe("<p>Product 7</p>");
    expect(render(new React.QueryClient())).toBe("<p>loading</p>");
  });

  test("returns null as the data of a method without a result", async () => {
    const rpc = createReactQueries(await openClient());
    const queryClient = new React.QueryClient();
    expect(await queryClient.fetchQuery(rpc.getNothing.queryOptions())).toBeNull();
  });

  test("finds all queries of a method by its key, and of one shop by its prefix", async () => {
    const client = await openClient();
    const rpc = createReactQueries(client, { keyPrefix: ["shop", 1001] });
    expect(rpc.getProduct.queryKey()).toEqual(["shop", 1001, "getProduct"]);
    const queryClient = new React.QueryClient();
    for (const id of [1, 2]) {
      expect(await queryClient.fetchQuery(rpc.getProduct.queryOptions({ id }))).toEqual({
        name: `Product ${id}`,
      });
    }
    const found = queryClient.getQueryCache().findAll({ queryKey: rpc.getProduct.queryKey() });
    expect(found).toHaveLength(2);
  });

  test("cancels the request of a query that nobody needs any more", async () => {
    const signals: AbortSignal[] = [];
    const rpc = createReactQueries(
      createRpcClient<BuiltinMethods>({
        baseURL: "https://shop.example",
        shopId: 1001,
        fetch({ signal }) {
          signals.push(signal);
          return new Promise(() => undefined);
        },
      }),
    );
    const queryClient = new React.QueryClient();
    const options = rpc.getBasket.queryOptions();
    const stop = new React.QueryObserver(queryClient, options).subscribe(() => undefined);
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    stop();
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe("TanStack Query for Vue", () => {
  test("follows a payload that is a ref or a getter", async () => {
    const rpc = createVueQueries(await openClient());
    const queryClient = new Vue.QueryClient();
    const id = ref(1);
    const scope = effectScope();
    onTestFinished(() => scope.stop());
    const found = scope.run(() => [
      Vue.useQuery(
        rpc.getProduct.queryOptions(() => ({ id: id.value })),
        queryClient,
      ).data,
    ]);
    const names = () => found?.map((data) => data.value?.name);
    await vi.waitFor(() => expect(names()).toEqual(["Product 1"]));
    id.value = 2;
    await vi.waitFor(() => expect(names()).toEqual(["Product 2"]));
    const payload = ref({ id: 3 });
    const other = scope.run(() => Vue.useQuery(rpc.getProduct.queryOptions(payload), queryClient));
    await vi.waitFor(() => expect(other?.data.value?.name).toBe("Product 3"));
    payload.value = { id: 4 };
    await vi.waitFor(() => expect(other?.data.value?.name).toBe("Product 4"));
  });

  test("shows an added item in a component before the response", async () => {
    const client = await openClient();
    const rpc = createVueQueries(client);
    const queryClient = new Vue.QueryClient();
    const scope = effectScope();
    onTestFinished(() => scope.stop());
    const page = scope.run(() => ({
      basket: Vue.useQuery(rpc.getBasket.queryOptions(), queryClient).data,
      adding: Vue.useMutation(rpc.addItemToBasket.mutationOptions(), queryClient),
    }));
    const seen: unknown[] = [];
    scope.run(() =>
      watch(
        () => page?.basket.value?.basket,
        (basket) => seen.push([basket?.itemCount, basket?.revision]),
        { flush: "sync" },
      ),
    );
    await vi.waitFor(() => expect(seen).toEqual([[0, 0]]));
    await page?.adding.mutateAsync({ variantId: 7, quantity: 2 });
    expect(seen).toEqual([
      [0, 0],
      [2, 0],
      [2, 1],
    ]);
  });

  test("works in the setup of a component", async () => {
    const rpc = createVueQueries(await openClient());
    const queryClient = new Vue.QueryClient();
    const app = createSSRApp({
      async setup() {
        const { data, suspense } = Vue.useQuery(rpc.getProduct.queryOptions({ id: 7 }));
        await suspense();
        return () => h("p", data.value?.name);
      },
    });
    app.use(Vue.VueQueryPlugin, { queryClient });
    const { renderToString: render } = await import("vue/server-renderer");
    expect(await render(app)).toBe("<p>Product 7</p>");
  });
});

// --- Internal helpers ---

async function openClient() {
  const { app } = await start({ methods });
  return createRpcClient<BuiltinMethods & typeof methods>({
    baseURL: "http://localhost",
    shopId: 1001,
    fetch: createBrowser(app),
  });
}

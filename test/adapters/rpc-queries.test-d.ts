import * as React from "@tanstack/react-query";
import * as Vue from "@tanstack/vue-query";
import { expectTypeOf, test } from "vitest";
import { ref } from "vue";
import * as z from "zod";
import { createRpcQueries as createReactQueries } from "../../adapters/react-query.ts";
import { createRpcQueries as createVueQueries } from "../../adapters/vue-query.ts";
import { createRpcClient } from "../../rpc/client.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";

const methods = {
  getProduct: defineRpcMethod({
    input: z.strictObject({ id: z.int() }),
    handler: ({ id }) => ({ name: `Product ${id}` }),
  }),
  getNothing: defineRpcMethod({ handler: () => undefined }),
};
const client = createRpcClient<BuiltinMethods & typeof methods>({ baseURL: "", shopId: 1001 });

test("the options for React have the types of the method", () => {
  const rpc = createReactQueries(client);
  const product = React.useQuery(rpc.getProduct.queryOptions({ id: 7 }));
  expectTypeOf(product.data).toEqualTypeOf<{ name: string } | undefined>();
  const { data } = React.useSuspenseQuery(rpc.getBasket.queryOptions());
  expectTypeOf(data.basket.itemCount).toEqualTypeOf<number>();
  expectTypeOf(React.useQuery(rpc.getNothing.queryOptions()).data).toEqualTypeOf<
    null | undefined
  >();
  const cached = new React.QueryClient().getQueryData(rpc.getBasket.queryOptions().queryKey);
  expectTypeOf(cached?.basket.itemCount).toEqualTypeOf<number | undefined>();
  // @ts-expect-error -- a payload is due
  rpc.getProduct.queryOptions();
  // @ts-expect-error -- an id is a number
  rpc.getProduct.queryOptions({ id: "7" });
  const adding = React.useMutation(rpc.addItemToBasket.mutationOptions());
  adding.mutate({ variantId: 7, quantity: 1 });
  // @ts-expect-error -- a quantity is due
  adding.mutate({ variantId: 7 });
  React.useMutation(rpc.clearBasket.mutationOptions()).mutate();
  expectTypeOf(adding.data?.basket.revision).toEqualTypeOf<number | undefined>();
  expectTypeOf(rpc.getProduct({ id: 7 })).toEqualTypeOf<Promise<{ name: string }>>();
});

test("the options for Vue take refs and getters", () => {
  const rpc = createVueQueries(client);
  const product = Vue.useQuery(rpc.getProduct.queryOptions(() => ({ id: 7 })));
  expectTypeOf(product.data.value).toEqualTypeOf<{ name: string } | undefined>();
  rpc.getProduct.queryOptions(ref({ id: 7 }));
  rpc.getProduct.queryOptions({ id: 7 });
  rpc.getBasket.queryOptions();
  // @ts-expect-error -- an id is a number
  rpc.getProduct.queryOptions(() => ({ id: "7" }));
  // @ts-expect-error -- a payload is due
  rpc.getProduct.queryOptions();
  const adding = Vue.useMutation(rpc.addItemToBasket.mutationOptions());
  adding.mutate({ variantId: 7, quantity: 1 });
  // @ts-expect-error -- a quantity is due
  adding.mutate({ variantId: 7 });
  Vue.useMutation(rpc.clearBasket.mutationOptions()).mutate();
});

import { expectTypeOf, test } from "vitest";
import type { MethodsOf, RpcClient } from "../../adapters/nuxt-app.ts";
import {
  defineRpcMethod,
  defineStorefrontConfig,
  type BuiltinMethods,
} from "../../server/index.ts";

const shops = [{ shopId: 1001, locale: "en-GB", currency: "GBP" }] as const;
const methods = {
  greet: defineRpcMethod({ handler: () => "hello" }),
  getUser: defineRpcMethod({ handler: () => 7 }),
};

test("the methods of a config are its own, and the built-in ones that it does not replace", () => {
  const config = defineStorefrontConfig({ shops, methods });
  const rpc = {} as RpcClient<MethodsOf<typeof config>>;
  expectTypeOf(rpc.greet).returns.resolves.toEqualTypeOf<string>();
  expectTypeOf(rpc.getUser).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(rpc.getBasket).toEqualTypeOf<RpcClient<BuiltinMethods>["getBasket"]>();
  expectTypeOf(rpc).not.toHaveProperty("nowhere");
});

test("the methods of a config without methods are the built-in ones", () => {
  const config = defineStorefrontConfig({ shops });
  expectTypeOf<MethodsOf<typeof config>>().toEqualTypeOf<BuiltinMethods>();
  expectTypeOf<MethodsOf<{ readonly shops: typeof shops }>>().toEqualTypeOf<BuiltinMethods>();
});

test("a config can be a function", () => {
  const config = defineStorefrontConfig({ shops, methods });
  const rpc = {} as RpcClient<MethodsOf<() => Promise<typeof config>>>;
  expectTypeOf(rpc.greet).returns.resolves.toEqualTypeOf<string>();
});

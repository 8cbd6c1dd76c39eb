import { expectTypeOf, test } from "vitest";
import * as z from "zod";
import {
  defineCommerceMethod,
  type CommerceBackend,
  type CommerceMethods,
  type Visit,
} from "../../../server/index.ts";
import { createRpcClient } from "../../../rpc/client.ts";
import type { createTestBackend, TestBasket, TestGrant } from "../../_commerce-backend.ts";

interface Priced {
  total: number;
  items: { price: number; quantity: number }[];
}

declare const connection: { baseURL: string; shopId: number };

test("a client knows the basket and the methods of an adapter", () => {
  const rpc = createRpcClient<CommerceMethods<ReturnType<typeof createTestBackend>>>(connection);
  expectTypeOf(rpc.getBasket).returns.resolves.toExtend<{ basket: Priced }>();
  expectTypeOf(rpc.addItemToBasket)
    .parameter(0)
    .toExtend<{ variantId: string | number; quantity: number }>();
  type Added = Awaited<ReturnType<typeof rpc.addItemToBasket>>;
  expectTypeOf<Added["basket"]["items"][number]["price"]>().toEqualTypeOf<number>();
  expectTypeOf<NonNullable<Added["short"]>[number]["reason"]>().toEqualTypeOf<string>();
  expectTypeOf(rpc.addCouponCode).parameter(0).toEqualTypeOf<{ code: string }>();
  expectTypeOf(rpc.placeOrder).returns.resolves.toExtend<{ order: Priced }>();
  expectTypeOf(rpc.countLines).returns.resolves.toEqualTypeOf<number>();
  type Wished = Awaited<ReturnType<typeof rpc.addItemToWishlist>>;
  expectTypeOf<Wished["wishlist"]["items"][number]["isNew"]>().toEqualTypeOf<boolean>();
  expectTypeOf(rpc.login).parameter(0).toExtend<{ email: string; password: string }>();
});

test("a client knows the basket of a backend with declared types", () => {
  const rpc = createRpcClient<CommerceMethods<CommerceBackend<TestGrant, TestBasket>>>(connection);
  expectTypeOf(rpc.getBasket).returns.resolves.toExtend<{ basket: Priced }>();
});

test("a client of a backend without baskets knows the built-in basket", () => {
  const backend = { name: "test", methods: { count: defineCommerceMethod({ handler: () => 1 }) } };
  const rpc = createRpcClient<CommerceMethods<typeof backend>>(connection);
  expectTypeOf(rpc.count).returns.resolves.toEqualTypeOf<number>();
  type Got = Awaited<ReturnType<typeof rpc.getBasket>>;
  expectTypeOf<Got["basket"]["revision"]>().toEqualTypeOf<number>();
});

test("the handler of a commerce method knows its input, its visit, and its context", () => {
  defineCommerceMethod({
    access: "user",
    input: z.strictObject({ code: z.string() }),
    handler({ code }, visit: Visit<TestGrant>, { user }) {
      expectTypeOf(code).toEqualTypeOf<string>();
      expectTypeOf(visit.grant).toEqualTypeOf<TestGrant | undefined>();
      expectTypeOf(user.id).toEqualTypeOf<string | number>();
    },
  });
  // @ts-expect-error -- a guest has no user
  defineCommerceMethod({ handler: (_, visit, { user }) => user.id });
});

test("a commerce method with the verb GET changes nothing", () => {
  const method = defineCommerceMethod({ verb: "GET", handler: () => 1 });
  expectTypeOf(method.readOnly).toEqualTypeOf<boolean>();
  defineCommerceMethod({ verb: "GET", readOnly: true, handler: () => 1 });
  defineCommerceMethod({ verb: "PUT", access: "user", requireFresh: true, handler: () => 1 });
  // @ts-expect-error -- a GET changes nothing
  defineCommerceMethod({ verb: "GET", readOnly: false, handler: () => 1 });
});

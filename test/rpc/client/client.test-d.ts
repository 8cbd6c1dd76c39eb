import type { Jsonify } from "type-fest";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import type { BasketView } from "../../../rpc/lists/basket.ts";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import {
  createRpcClient,
  type RpcCallOptions,
  type RpcClient,
  type TokenStore,
} from "../../../rpc/client.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { PublicShop } from "../../../rpc/shop.ts";
import type { ShopUser } from "../../../storage/sessions/session-record.ts";

interface Order {
  readonly id: number;
  readonly at: Date;
  readonly lines: readonly { readonly sentAt: Date | undefined; note?: string }[];
  readonly total: [amount: number, currency: string];
}
declare const order: Order;

const methods = {
  greet: defineRpcMethod({
    input: z.strictObject({ name: z.string(), times: z.int().default(1) }),
    handler: ({ name, times }) => name.repeat(times),
  }),
  findOrders: defineRpcMethod({
    input: z.strictObject({ since: z.string() }).optional(),
    handler: async () => [order],
  }),
  lastOrder: defineRpcMethod({ handler: () => order as Order | undefined }),
  firstOrder: defineRpcMethod({ handler: () => order as Order | null }),
  ping: defineRpcMethod({ access: "public", handler: () => true as const }),
  touch: defineRpcMethod({ async handler() {} }),
  forget: defineRpcMethod({ handler: () => null }),
  clock: defineRpcMethod({ handler: () => new Date() }),
  price: defineRpcMethod({
    output: z.object({ price: z.number().transform((cents) => `${cents} ct`) }),
    handler: () => ({ price: 250 }),
  }),
  anything: defineRpcMethod({ handler: (): unknown => 1 }),
};

const client = createRpcClient<BuiltinMethods & typeof methods>({ baseURL: "", shopId: 1001 });

/** The result of a call. */
type Given<Call extends (...payload: never[]) => Promise<unknown>> = Awaited<ReturnType<Call>>;

describe("a client's methods", () => {
  test("include the built-in methods and the custom ones only", () => {
    expectTypeOf<keyof typeof client>().toEqualTypeOf<
      keyof BuiltinMethods | keyof typeof methods
    >();
    expectTypeOf<RpcClient<typeof methods>>().not.toHaveProperty("getUser");
    // @ts-expect-error -- there is no such method
    void client.getUsers;
  });

  test("accept the input type of the schema", () => {
    expectTypeOf(client.greet).parameters.toEqualTypeOf<
      [payload: { name: string; times?: number | undefined }, options?: RpcCallOptions]
    >();
    // @ts-expect-error -- a payload is due
    void client.greet();
    // @ts-expect-error -- a name is due
    void client.greet({});
    // @ts-expect-error -- a name is a text
    void client.greet({ name: 7 });
    // @ts-expect-error -- there is nothing of that name
    void client.greet({ name: "Ada", colour: "red" });
    // @ts-expect-error -- the second argument is an object
    void client.greet({ name: "Ada" }, 2);
    void client.greet({ name: "Ada" }, { signal: AbortSignal.timeout(9), headers: { "x-a": "1" } });
    void client.greet({ name: "Ada" }, { timeout: 2.5 });
    // @ts-expect-error -- a timeout is a number of seconds
    void client.greet({ name: "Ada" }, { timeout: "2 s" });
  });

  test("need no payload if the method takes none", () => {
    expectTypeOf(client.ping).parameters.toEqualTypeOf<
      [payload?: undefined, options?: RpcCallOptions]
    >();
    expectTypeOf(client.findOrders).parameters.toEqualTypeOf<
      [payload?: { since: string } | undefined, options?: RpcCallOptions]
    >();
    void client.ping();
    void client.findOrders();
    void client.findOrders({ since: "2026" });
    // @ts-expect-error -- it takes no payload
    void client.ping({});
    // @ts-expect-error -- the parameter's type has `since`
    void client.findOrders({});
  });

  test("return the type after JSON", () => {
    interface SentOrder {
      readonly id: number;
      readonly at: string;
      readonly lines: { readonly sentAt?: string; note?: string }[];
      readonly total: [number, string];
    }
    expectTypeOf<Given<typeof client.greet>>().toEqualTypeOf<string>();
    expectTypeOf<Given<typeof client.ping>>().toEqualTypeOf<true>();
    expectTypeOf<Given<typeof client.clock>>().toEqualTypeOf<string>();
    expectTypeOf<Given<typeof client.findOrders>>().toEqualTypeOf<SentOrder[]>();
    expectTypeOf<Given<typeof client.lastOrder>>().toEqualTypeOf<SentOrder | undefined>();
    expectTypeOf<Given<typeof client.anything>>().toEqualTypeOf<unknown>();
  });

  test("return undefined for no result, and for null", () => {
    expectTypeOf<Given<typeof client.touch>>().toEqualTypeOf<undefined>();
    expectTypeOf<Given<typeof client.forget>>().toEqualTypeOf<undefined>();
    // Null is answered with 204, so it never arrives as null.
    const given = {} as Given<typeof client.firstOrder>;
    expectTypeOf(given).toEqualTypeOf<Given<typeof client.lastOrder>>();
  });

  test("return branded values as strings and numbers", () => {
    const customerId = z.string().brand<"CustomerId">();
    const branded = {
      whoIs: defineRpcMethod({
        handler: () => ({
          id: customerId.parse("c1"),
          ids: [customerId.parse("c2")],
          cents: z.number().brand<"Cents">().parse(3),
        }),
      }),
    };
    const { whoIs } = createRpcClient<typeof branded>({ baseURL: "", shopId: 1001 });
    const given = {} as Given<typeof whoIs>;
    expectTypeOf(given.id).toExtend<string>();
    expectTypeOf(given.ids).items.toExtend<string>();
    expectTypeOf(given.cents).toExtend<number>();
  });

  test("return recursive types and JSON types unchanged", () => {
    interface Category {
      readonly name: string;
      readonly children: readonly Category[];
      readonly changedAt: Date;
    }
    type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
    const recursive = {
      categories: defineRpcMethod({ handler: () => [] as Category[] }),
      settings: defineRpcMethod({ handler: () => ({}) as { [key: string]: Json } }),
    };
    const { categories, settings } = createRpcClient<typeof recursive>({ baseURL: "", shopId: 1 });
    const given = {} as Given<typeof categories>[number];
    expectTypeOf(given.children[0]?.children[0]?.changedAt).toEqualTypeOf<string | undefined>();
    expectTypeOf<Given<typeof settings>>().toEqualTypeOf<{ [key: string]: Json }>();
  });

  test("return a Response as a Response", () => {
    const raw = { invoice: defineRpcMethod({ handler: async () => new Response("PDF") }) };
    const { invoice } = createRpcClient<typeof raw>({ baseURL: "", shopId: 1001 });
    expectTypeOf<Given<typeof invoice>>().toEqualTypeOf<Response>();
  });

  test("return the output type of the output schema", () => {
    expectTypeOf<Given<typeof client.price>>().toEqualTypeOf<{ price: string }>();
  });

  test("return promises only", () => {
    expectTypeOf(client.ping).returns.toEqualTypeOf<Promise<true>>();
  });
});

describe("the built-in methods", () => {
  test("have types", () => {
    expectTypeOf<Given<typeof client.getUser>>().toEqualTypeOf<{ user?: ShopUser }>();
    expectTypeOf<Given<typeof client.getShopConfiguration>>().toEqualTypeOf<PublicShop>();
    expectTypeOf<Given<typeof client.logout>>().toEqualTypeOf<undefined>();
    expectTypeOf<Given<typeof client.logoutEverywhere>>().toEqualTypeOf<{
      ended: number;
      complete?: false;
    }>();
    expectTypeOf<Given<typeof client.getBasket>["basket"]>().toEqualTypeOf<Jsonify<BasketView>>();
    expectTypeOf(client.addItemToBasket).parameter(0).toHaveProperty("variantId");
    expectTypeOf(client.addItemToBasket)
      .parameter(0)
      .toHaveProperty("variantId")
      .toEqualTypeOf<string | number>();
    void client.logoutEverywhere();
    void client.logoutEverywhere({ keepCurrent: true });
    // @ts-expect-error -- a quantity is due
    void client.addItemToBasket({ variantId: 7 });
    // @ts-expect-error -- a password is due
    void client.login({ email: "ada@example.com" });
  });

  test("can be replaced by methods with their names", () => {
    const own = {
      getUser: defineRpcMethod({ handler: () => ({ points: 7 }) }),
    };
    type Methods = Omit<BuiltinMethods, keyof typeof own> & typeof own;
    const replaced = createRpcClient<Methods>({ baseURL: "", shopId: 1001 });
    expectTypeOf<Given<typeof replaced.getUser>>().toEqualTypeOf<{ points: number }>();
    expectTypeOf<Given<typeof replaced.logout>>().toEqualTypeOf<undefined>();
  });
});

test("createRpcClient takes a store for the token, with or without promises", () => {
  const memory: TokenStore = { get: () => undefined, set: () => undefined };
  const keyChain: TokenStore = { get: async () => "token", set: async () => {} };
  const options = { baseURL: "", shopId: 1001, batch: true, reads: ["search"] };
  void createRpcClient<typeof methods>({ ...options, token: memory });
  void createRpcClient<typeof methods>({ ...options, token: keyChain });
  // @ts-expect-error -- a store can also store a token
  void createRpcClient<typeof methods>({ ...options, token: { get: () => "token" } });
});

test("createRpcClient requires the server's URL and the shop", () => {
  // @ts-expect-error -- a shop is due
  void createRpcClient<typeof methods>({ baseURL: "" });
  // @ts-expect-error -- a shop's id is a number
  void createRpcClient<typeof methods>({ baseURL: "", shopId: "1001" });
  // @ts-expect-error -- methods are made by defineRpcMethod
  void createRpcClient<{ greet: () => string }>({ baseURL: "", shopId: 1001 });
});

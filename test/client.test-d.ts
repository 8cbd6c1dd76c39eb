import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import type { BasketView } from "../rpc/basket.ts";
import type { BuiltinMethods } from "../rpc/builtin.ts";
import { createRpcClient, type RpcClient, type Wire } from "../rpc/client.ts";
import { defineRpcMethod } from "../rpc/method.ts";
import type { PublicShop } from "../rpc/shop.ts";
import type { ShopUser } from "../storage/session-record.ts";

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

/** What a call gives in the end. */
type Given<Call extends (...payload: never[]) => Promise<unknown>> = Awaited<ReturnType<Call>>;

describe("a client's methods", () => {
  test("are the built-in ones and the deployment's, and no others", () => {
    expectTypeOf<keyof typeof client>().toEqualTypeOf<
      keyof BuiltinMethods | keyof typeof methods
    >();
    expectTypeOf<RpcClient<typeof methods>>().not.toHaveProperty("getUser");
    // @ts-expect-error -- there is no such method
    void client.getUsers;
  });

  test("take what the input schema takes, before it is parsed", () => {
    expectTypeOf(client.greet).parameters.toEqualTypeOf<
      [payload: { name: string; times?: number | undefined }]
    >();
    // @ts-expect-error -- a payload is due
    void client.greet();
    // @ts-expect-error -- a name is due
    void client.greet({});
    // @ts-expect-error -- a name is a text
    void client.greet({ name: 7 });
    // @ts-expect-error -- there is nothing of that name
    void client.greet({ name: "Ada", colour: "red" });
    // @ts-expect-error -- there is one payload
    void client.greet({ name: "Ada" }, 2);
  });

  test("need no payload where none is due", () => {
    expectTypeOf(client.ping).parameters.toEqualTypeOf<[payload?: undefined]>();
    expectTypeOf(client.findOrders).parameters.toEqualTypeOf<
      [payload?: { since: string } | undefined]
    >();
    void client.ping();
    void client.findOrders();
    void client.findOrders({ since: "2026" });
    // @ts-expect-error -- it takes no payload
    void client.ping({});
    // @ts-expect-error -- what it takes has a since
    void client.findOrders({});
  });

  test("give what is left of the answer after JSON", () => {
    interface SentOrder {
      readonly id: number;
      readonly at: string;
      readonly lines: readonly { readonly sentAt: string | undefined; note?: string }[];
      readonly total: [amount: number, currency: string];
    }
    expectTypeOf<Given<typeof client.greet>>().toEqualTypeOf<string>();
    expectTypeOf<Given<typeof client.ping>>().toEqualTypeOf<true>();
    expectTypeOf<Given<typeof client.clock>>().toEqualTypeOf<string>();
    expectTypeOf<Given<typeof client.findOrders>>().toEqualTypeOf<SentOrder[]>();
    expectTypeOf<Given<typeof client.lastOrder>>().toEqualTypeOf<SentOrder | undefined>();
    expectTypeOf<Given<typeof client.anything>>().toEqualTypeOf<unknown>();
  });

  test("give nothing as undefined, also what is null on the server", () => {
    expectTypeOf<Given<typeof client.touch>>().toEqualTypeOf<undefined>();
    expectTypeOf<Given<typeof client.forget>>().toEqualTypeOf<undefined>();
    // Null is answered with 204, so it never arrives as null.
    const given = {} as Given<typeof client.firstOrder>;
    expectTypeOf(given).toEqualTypeOf<Given<typeof client.lastOrder>>();
  });

  test("give what the output schema makes of the answer", () => {
    expectTypeOf<Given<typeof client.price>>().toEqualTypeOf<{ price: string }>();
  });

  test("can be passed on as promises only", () => {
    expectTypeOf(client.ping).returns.toEqualTypeOf<Promise<true>>();
  });
});

describe("the built-in methods", () => {
  test("are typed", () => {
    expectTypeOf<Given<typeof client.getUser>>().toEqualTypeOf<{ user: ShopUser | undefined }>();
    expectTypeOf<Given<typeof client.getShopConfiguration>>().toEqualTypeOf<PublicShop>();
    expectTypeOf<Given<typeof client.logout>>().toEqualTypeOf<undefined>();
    expectTypeOf<Given<typeof client.logoutEverywhere>>().toEqualTypeOf<{ ended: number }>();
    expectTypeOf<Given<typeof client.getBasket>["basket"]>().toEqualTypeOf<Wire<BasketView>>();
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

  test("can be replaced by others of their names", () => {
    const own = {
      getUser: defineRpcMethod({ handler: () => ({ points: 7 }) }),
    };
    type Methods = Omit<BuiltinMethods, keyof typeof own> & typeof own;
    const replaced = createRpcClient<Methods>({ baseURL: "", shopId: 1001 });
    expectTypeOf<Given<typeof replaced.getUser>>().toEqualTypeOf<{ points: number }>();
    expectTypeOf<Given<typeof replaced.logout>>().toEqualTypeOf<undefined>();
  });
});

test("a client is told where the server is, and for which shop", () => {
  // @ts-expect-error -- a shop is due
  void createRpcClient<typeof methods>({ baseURL: "" });
  // @ts-expect-error -- a shop's id is a number
  void createRpcClient<typeof methods>({ baseURL: "", shopId: "1001" });
  // @ts-expect-error -- methods are made by defineRpcMethod
  void createRpcClient<{ greet: () => string }>({ baseURL: "", shopId: 1001 });
});

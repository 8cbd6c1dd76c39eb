import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import type { PublicRpcContext, RpcContext, UserRpcContext } from "../../rpc/context.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { RpcMethod, RpcMethods } from "../../rpc/method.ts";
import { defineStorefrontConfig } from "../../server/config/config.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";

describe("a method's context", () => {
  test("contains no session if the method is public", () => {
    defineRpcMethod({
      access: "public",
      handler(_, context) {
        expectTypeOf(context).toEqualTypeOf<PublicRpcContext>();
        const missing = ["user", "sessionId", "customData", "basketKey", "wishlistKey"] as const;
        expectTypeOf<keyof typeof context & (typeof missing)[number]>().toEqualTypeOf<never>();
        // @ts-expect-error -- a public method has no user
        void context.user;
        // @ts-expect-error -- and no session to end
        void context.destroySession;
        // @ts-expect-error -- nor to change
        void context.updateUser;
      },
    });
  });

  test("contains a session by default, and an optional user", () => {
    defineRpcMethod({
      handler(_, context) {
        expectTypeOf(context).toEqualTypeOf<RpcContext>();
        expectTypeOf(context.user).toEqualTypeOf<ShopUser | undefined>();
        expectTypeOf(context.sessionId).toEqualTypeOf<string | undefined>();
      },
    });
    defineRpcMethod({
      access: "session",
      handler(_, context) {
        expectTypeOf(context).toEqualTypeOf<RpcContext>();
        // @ts-expect-error -- a guest has no id
        void context.user.id;
      },
    });
  });

  test('has a user if the access is "user"', () => {
    defineRpcMethod({
      access: "user",
      handler(_, context) {
        expectTypeOf(context).toEqualTypeOf<UserRpcContext>();
        expectTypeOf(context.user).toEqualTypeOf<ShopUser>();
        expectTypeOf(context.user.id).toEqualTypeOf<string | number>();
      },
    });
  });

  test("can't be assigned, and changes through its functions", () => {
    defineRpcMethod({
      access: "user",
      async handler(_, context) {
        context.updateUser({ ...context.user, firstName: "Ada" });
        expectTypeOf(await context.destroySession()).toEqualTypeOf<void>();
        expectTypeOf(await context.destroySessionsForUserId(7, ["7:x"])).toEqualTypeOf<number>();
        expectTypeOf(await context.callRpc("getUser")).toEqualTypeOf<unknown>();
        expectTypeOf(await context.callRpc<number>("count", {})).toEqualTypeOf<number>();
        // @ts-expect-error -- an assignment would change nothing
        context.user = { id: 8 };
        // @ts-expect-error -- an assignment would change nothing
        context.customData = {};
        // @ts-expect-error -- a user has an id
        context.updateUser({ firstName: "Ada" });
        // @ts-expect-error -- methods get no secrets
        void context.shop.session;
      },
    });
  });

  test("accepts more fields, and keeps its own types", () => {
    defineRpcMethod({
      access: "user",
      handler(_, context) {
        const extended = context.with({ tenant: "a" });
        expectTypeOf(extended.tenant).toEqualTypeOf<string>();
        expectTypeOf(extended.user).toEqualTypeOf<ShopUser>();
        expectTypeOf(extended).toExtend<UserRpcContext>();
      },
    });
    defineRpcMethod({
      access: "public",
      handler(_, context) {
        const extended = context.with({ tenant: "a" }).with({ count: 1 });
        expectTypeOf(extended).toExtend<PublicRpcContext & { tenant: string; count: number }>();
        // @ts-expect-error -- a public context stays one
        void extended.user;
      },
    });
  });

  test("can be a plain object", () => {
    const context: PublicRpcContext = {
      shop: { shopId: 1001, locale: "de-DE", currency: "EUR" },
      callRpc: () => Promise.reject(new Error("Not in this test")),
      cached: () => Promise.reject(new Error("Not in this test")),
      invalidate: () => Promise.resolve(),
      setHeader: () => {},
      log: console,
      ip: undefined,
      headers: new Headers(),
      signal: new AbortController().signal,
      with(extra) {
        return { ...this, ...extra };
      },
    };
    const method = defineRpcMethod({ access: "public", handler: (_, { shop }) => shop.shopId });
    expectTypeOf(method.handler).toBeCallableWith(undefined, context);
    // @ts-expect-error -- the handler reads the shop
    void method.handler(undefined, { user: undefined });
  });

  test("exists for three kinds of access only", () => {
    // @ts-expect-error -- there is no such access
    defineRpcMethod({ access: "admin", handler: () => 1 });
  });
});

describe("a method's input", () => {
  test("matches the output type of its schema", () => {
    const method = defineRpcMethod({
      input: z.strictObject({
        quantity: z.int().default(1),
        at: z.string().transform((text) => new Date(text)),
      }),
      handler(input) {
        expectTypeOf(input).toEqualTypeOf<{ quantity: number; at: Date }>();
      },
    });
    type Payload = { quantity?: number | undefined; at: string };
    type Input = { quantity: number; at: Date };
    expectTypeOf(method).toEqualTypeOf<RpcMethod<Payload, void, Input, RpcContext>>();
  });

  test("can have any Standard Schema", () => {
    const digits = {} as StandardSchemaV1<string, number>;
    const method = defineRpcMethod({
      input: digits,
      handler(input) {
        expectTypeOf(input).toEqualTypeOf<number>();
        return input * 2;
      },
    });
    expectTypeOf(method).toEqualTypeOf<RpcMethod<string, number, number, RpcContext>>();
  });

  test("defaults to undefined without a schema", () => {
    const method = defineRpcMethod({
      handler(input) {
        expectTypeOf(input).toEqualTypeOf<undefined>();
        return "done";
      },
    });
    expectTypeOf(method).toEqualTypeOf<RpcMethod<undefined, string, undefined, RpcContext>>();
  });

  test("rejects anything but a schema", () => {
    // @ts-expect-error -- this is no schema
    defineRpcMethod({ input: { name: "string" }, handler: () => 1 });
  });
});

describe("a method's output", () => {
  test("matches the return type of the handler, without its promise", () => {
    expectTypeOf(defineRpcMethod({ handler: async () => [1, 2] })).toEqualTypeOf<
      RpcMethod<undefined, number[], undefined, RpcContext>
    >();
    expectTypeOf(
      defineRpcMethod({ handler: () => Promise.resolve("a" as "a" | "b") }),
    ).toEqualTypeOf<RpcMethod<undefined, "a" | "b", undefined, RpcContext>>();
    expectTypeOf(defineRpcMethod({ async handler() {} })).toEqualTypeOf<
      RpcMethod<undefined, void, undefined, RpcContext>
    >();
  });

  test("matches the output type of its schema, if there is one", () => {
    const output = z.object({ price: z.number().transform(String) });
    const method = defineRpcMethod({ output, handler: async () => ({ price: 1 }) });
    expectTypeOf(method).toEqualTypeOf<
      RpcMethod<undefined, { price: string }, undefined, RpcContext>
    >();
    // @ts-expect-error -- the schema takes a number
    defineRpcMethod({ output, handler: () => ({ price: "1" }) });
    // @ts-expect-error -- the schema wants a price
    defineRpcMethod({ output, handler: async () => ({}) });
  });
});

describe("methods", () => {
  test("have a handler", () => {
    // @ts-expect-error -- nothing would happen
    defineRpcMethod({ access: "public" });
    // @ts-expect-error -- this was meant to be readOnly
    defineRpcMethod({ readonly: true, handler: () => 1 });
  });

  test("keep their types in a config", () => {
    const methods = {
      open: defineRpcMethod({ access: "public", readOnly: true, handler: () => 1 }),
      own: defineRpcMethod({ access: "user", input: z.string(), handler: (text) => text }),
    };
    expectTypeOf(methods).toExtend<RpcMethods>();
    const shops = [{ shopId: 1001, locale: "de-DE", currency: "EUR" }];
    const config = defineStorefrontConfig({ shops, methods });
    expectTypeOf(config.methods).toEqualTypeOf<typeof methods | undefined>();
    // @ts-expect-error -- a method is made by defineRpcMethod
    defineStorefrontConfig({ shops, methods: { plain: () => 1 } });
  });
});

describe("a method's verb", () => {
  test("changes no other type of the method", () => {
    const method = defineRpcMethod({ verb: "GET", access: "user", handler: () => 1 });
    expectTypeOf(method).toEqualTypeOf<RpcMethod<undefined, number, undefined, UserRpcContext>>();
    defineRpcMethod({ verb: "PUT", access: "user", requireFresh: true, handler: () => 1 });
    defineRpcMethod({ verb: "POST", readOnly: true, handler: () => 1 });
    defineRpcMethod({ verb: "GET", readOnly: true, handler: () => 1 });
  });

  test("excludes options that contradict it", () => {
    // @ts-expect-error -- there is no such verb
    defineRpcMethod({ verb: "HEAD", handler: () => 1 });
    // @ts-expect-error -- a GET changes nothing
    defineRpcMethod({ verb: "GET", readOnly: false, handler: () => 1 });
    // @ts-expect-error -- a GET signs nobody in
    defineRpcMethod({ verb: "GET", signsIn: true, handler: () => 1 });
    // @ts-expect-error -- a link can open a GET
    defineRpcMethod({ verb: "GET", access: "user", requireFresh: true, handler: () => 1 });
    // @ts-expect-error -- a DELETE changes something
    defineRpcMethod({ verb: "DELETE", readOnly: true, handler: () => 1 });
  });
});

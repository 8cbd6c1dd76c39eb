import { expect, test } from "vitest";
import * as z from "zod";
import {
  defineCommerceMethod,
  defineRpcMethod,
  type BaseRpcContext,
  type PublicRpcContext,
} from "../../../server/index.ts";
import { describeStorages } from "../../_setup.ts";
import { run } from "../../fixtures/context-methods.ts";
import { testMethods } from "../../fixtures/methods.ts";

/** A public method that reads through the cache. */
const cacheWith = (load: (context: PublicRpcContext, payload: unknown) => unknown) =>
  defineRpcMethod({
    access: "public",
    input: z.unknown(),
    handler: (payload, context) => context.cached("a", 60, () => load(context, payload)),
  });

describeStorages("the cache of public reads", ({ start, allowErrors }) => {
  test("isn't in the context of a method with a session, nor in a context made of it", async () => {
    const names: string[] = [];
    const look = run((context) => {
      const extended = context.with({ extra: 1 });
      for (const each of [context, extended, { ...context }]) {
        for (const name in each) names.push(name);
        expect(Reflect.get(each, "cached")).toBeUndefined();
      }
      return context.callRpc("open");
    });
    const open = defineRpcMethod({
      access: "public",
      handler: (_, context) => typeof context.cached,
    });
    const { client } = await start({ methods: { look, open } });
    expect((await client().call("look")).body).toBe("function");
    expect(names).toContain("invalidate");
    expect(names).not.toContain("cached");
  });

  test("can't load from a method with a session, also if such a method called the public one", async () => {
    allowErrors();
    const methods = {
      ...testMethods,
      leak: cacheWith(({ callRpc }) => callRpc("getUser")),
      callLeak: run(({ callRpc }) => callRpc("leak")),
      callLeakTwice: run(({ callRpc }) => callRpc("callOn")),
      callOn: defineRpcMethod({ access: "public", handler: (_, { callRpc }) => callRpc("leak") }),
      count: defineRpcMethod({ access: "public", handler: () => 1 }),
    };
    const { client } = await start({ methods });
    const ada = client();
    await ada.call("enter", { id: "ada" });
    for (const method of ["leak", "callLeak", "callLeakTwice"]) {
      expect((await ada.call(method)).status, method).toBe(500);
    }
  });

  test("gets copies of payloads, so that no function in one can read the session", async () => {
    allowErrors();
    const carriers: ((context: BaseRpcContext & { user?: unknown }) => unknown)[] = [
      (context) => () => context.user,
      (context) => ({ read: () => context.user }),
      (context) => [{ deep: [context.callRpc] }],
      (context) => new Map([["read", () => context.user]]),
      (context) => Promise.resolve(context.user),
      (context) => context,
      (context) => context.with({ read: () => context.user }),
      (context) => new Proxy({}, { get: () => context.user }),
    ];
    const leak = cacheWith((_, payload) => String(payload));
    const callLeak = defineRpcMethod({
      input: z.int(),
      handler: (index, context) => context.callRpc("leak", carriers[index]?.(context)),
    });
    const { client } = await start({ methods: { ...testMethods, leak, callLeak } });
    const ada = client();
    await ada.call("enter", { id: "ada" });
    for (const index of carriers.keys()) {
      expect((await ada.call("callLeak", index)).status, String(index)).toBe(500);
    }
  });

  test("reads a getter of a payload once, before the method runs", async () => {
    let reads = 0;
    const received: unknown[] = [];
    const methods = {
      ...testMethods,
      look: defineRpcMethod({
        access: "public",
        input: z.unknown(),
        handler: (payload) => void received.push(Object.getOwnPropertyDescriptors(payload)),
      }),
      callLook: run((context) => {
        const payload = {
          get live() {
            return ++reads;
          },
        };
        return context.callRpc("look", payload);
      }),
    };
    const { client } = await start({ methods });
    await client().call("callLook");
    expect(received).toEqual([{ live: expect.objectContaining({ value: 1 }) }]);
  });

  test("sees no credential in the headers, and no session behind a symbol of the context", async () => {
    const found: unknown[] = [];
    const look = cacheWith((context) => {
      found.push([...context.headers.keys()]);
      for (const symbol of Object.getOwnPropertySymbols(context)) {
        const read = Reflect.get(context, symbol) as (name: string) => unknown;
        for (const name of ["user", "session", "context", "sessionId", "basketKey"]) {
          expect(() => {
            const value = read(name) as object;
            // A context or a session that is never used reveals nothing.
            return Reflect.get(value, "user");
          }).toThrow();
        }
      }
      return 1;
    });
    const callLook = run(({ callRpc }) => callRpc("look"));
    const { client } = await start({ methods: { ...testMethods, look, callLook } });
    const ada = client();
    await ada.call("enter", { id: "ada" });
    const headers = { authorization: "Bearer of-another-system", "x-own": "1" };
    expect((await ada.call("callLook", undefined, headers)).body).toBe(1);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("x-own");
    for (const name of ["cookie", "authorization"]) expect(found[0]).not.toContain(name);
  });

  test("gives a load nothing of the visitor", async () => {
    const found: unknown[] = [];
    const look = defineRpcMethod({
      access: "public",
      handler: (_, { cached }) =>
        cached("a", 60, (source) => {
          found.push(Object.keys(source).toSorted(), source.shop);
          return 1;
        }),
    });
    const { client } = await start({ methods: { look } });
    await client().call("look");
    const shop = { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" };
    expect(found).toEqual([["fetch", "shop", "signal", "tag"], shop]);
  });

  test("gives hooks no session for a public method that a method with a session called", async () => {
    const contexts: string[][] = [];
    const open = defineRpcMethod({ access: "public", handler: () => 1 });
    const { client } = await start({
      methods: { ...testMethods, open, callOpen: run(({ callRpc }) => callRpc("open")) },
      hooks: {
        "storefront:rpc:before": ({ method, context }) => {
          if (method === "open") contexts.push(Object.keys(context));
        },
      },
    });
    const ada = client();
    await ada.call("enter", { id: "ada" });
    expect((await ada.call("callOpen")).body).toBe(1);
    expect(contexts).toHaveLength(1);
    expect(contexts[0]).toContain("cached");
    expect(contexts[0]).not.toContain("user");
  });

  test("gets no user and no grant from a public method of a commerce system", async () => {
    const visits: unknown[] = [];
    const look = defineCommerceMethod({
      access: "public",
      handler: (_, visit, { cached }) =>
        cached("a", 60, () => {
          const { user, grant } = visit;
          visits.push([user, grant, Object.keys(visit).includes("basketKey")]);
          expect(() => visit.basketKey).toThrow("can't use the session");
          return 1;
        }),
    });
    const { client } = await start({
      methods: { ...testMethods, look, callLook: run(({ callRpc }) => callRpc("look")) },
      commerce: {
        name: "test",
        grants: { begin: async () => ({ expiresAt: Date.now() + 60_000 }) },
      },
    });
    const ada = client();
    await ada.call("enter", { id: "ada" });
    expect((await ada.call("callLook")).body).toBe(1);
    expect(visits).toEqual([[undefined, undefined, true]]);
  });
});

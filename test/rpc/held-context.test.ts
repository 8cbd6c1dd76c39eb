import createMemoryDriver from "unstorage/drivers/memory";
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  defineRpcMethod,
  RpcError,
  type BaseRpcContext,
  type RpcContext,
  type UserRpcContext,
} from "../../server/index.ts";
import { createSetup, describeStorages, testSecret } from "../_setup.ts";
import { readStored } from "../fixtures/stored.ts";

const baseNames = [
  "callRpc",
  "headers",
  "invalidate",
  "ip",
  "log",
  "setHeader",
  "shop",
  "signal",
  "with",
];
const publicNames = [...baseNames, "cached"].toSorted();
const names = [
  ...baseNames,
  "auth",
  "basketKey",
  "changeBasket",
  "changeWishlist",
  "createUserBoundSession",
  "customData",
  "destroySession",
  "destroySessionsForUserId",
  "obtainTokens",
  "readBasket",
  "readTokens",
  "readWishlist",
  "sessionId",
  "sessions",
  "updateCustomData",
  "updateTokens",
  "updateUser",
  "user",
  "wishlistKey",
].toSorted();

const memory = createSetup("memory", "request", () => ({ driver: "memory" }));
const ada = { id: "ada" };

/** Starts a server, logs a user in, and runs a test in a method. */
async function runInMethod(act: (context: UserRpcContext) => unknown): Promise<void> {
  let failure: unknown;
  const enter = defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession(ada),
  });
  const run = defineRpcMethod({
    access: "user",
    async handler(_, context) {
      try {
        await act(context);
      } catch (error) {
        failure = error;
      }
    },
  });
  const { client } = await memory.start({ methods: { enter, run } });
  const user = client();
  await user.call("enter");
  expect((await user.call("run")).status).toBe(204);
  if (failure !== undefined) throw failure;
}

describe("a context", () => {
  test("lists all of its properties, and a public one those without a session", async () => {
    const found: string[][] = [];
    const look = (_: undefined, context: BaseRpcContext) =>
      void found.push(Object.keys(context).toSorted(), Object.keys({ ...context }).toSorted());
    const { client } = await memory.start({
      methods: {
        look: defineRpcMethod({ handler: look }),
        lookOpenly: defineRpcMethod({ access: "public", handler: look }),
      },
    });
    await client().call("look");
    await client().call("lookOpenly");
    expect(found).toEqual([names, names, publicNames, publicNames]);
  });

  test("returns the same functions each time", async () => {
    await runInMethod((context) => {
      for (const name of names) {
        const isOfFunctions = name === "auth" || name === "sessions";
        const value = context[name as keyof RpcContext];
        if (typeof value !== "function" && !isOfFunctions) continue;
        expect(context[name as keyof RpcContext], name).toBe(value);
      }
      expect(context.updateUser).toBe(context.updateUser);
    });
  });

  test("becomes a snapshot when it is spread", async () => {
    await runInMethod((context) => {
      const copy = { ...context, extra: 1 };
      expect(copy).toMatchObject({ user: ada, sessionId: context.sessionId, extra: 1 });
      copy.updateUser({ ...ada, firstName: "Ada" });
      expect(copy.user).toEqual(ada);
      expect(context.user).toEqual({ ...ada, firstName: "Ada" });
    });
  });

  test("stays live when with() extends it, once and again", async () => {
    await runInMethod(async (context) => {
      const extended = context.with({ tenant: "a" });
      const twice = extended.with({ tenant: "b", count: 1 });
      extended.updateUser({ ...ada, firstName: "Ada" });
      const user = { ...ada, firstName: "Ada" };
      expect([context.user, extended.user, twice.user]).toEqual([user, user, user]);
      expect([extended.tenant, twice.tenant, twice.count]).toEqual(["a", "b", 1]);
      expect(context).not.toHaveProperty("tenant");
      expect(extended.updateUser).toBe(context.updateUser);
      expect(Object.keys(twice).toSorted()).toEqual([...names, "count", "tenant"].toSorted());
      await twice.destroySession();
      expect([context.user, extended.user, twice.user]).toEqual([undefined, undefined, undefined]);
      expect(twice.sessionId).toBeUndefined();
    });
  });

  test("can be extended by getters, and by other values for its own properties", async () => {
    await runInMethod((context) => {
      let calls = 0;
      const extended = context.with({
        get calls() {
          return ++calls;
        },
        ip: "192.0.2.1",
      });
      expect([extended.calls, extended.calls, extended.ip]).toEqual([1, 2, "192.0.2.1"]);
      expect(context.ip).not.toBe("192.0.2.1");
    });
  });

  test("works below a prototype, and behind a proxy", async () => {
    await runInMethod((context) => {
      const below = Object.create(context) as UserRpcContext;
      const behind = new Proxy(context, {});
      below.updateUser({ ...ada, firstName: "Ada" });
      expect([below.user.firstName, behind.user.firstName]).toEqual(["Ada", "Ada"]);
      expect([...behind.headers]).toEqual([...context.headers]);
    });
  });

  test("begins no session when with() extends it, but does when a guest's is spread", async () => {
    const extend = defineRpcMethod({ handler: (_, context) => void context.with({ a: 1 }) });
    const spread = defineRpcMethod({ handler: (_, context) => void { ...context } });
    const { client } = await memory.start({ methods: { extend, spread } });
    expect((await client().call("extend")).setCookies).toEqual([]);
    expect((await client().call("spread")).setCookies).toHaveLength(1);
  });

  test("holds no secret, token, or cookie, however it is read", async () => {
    const tokens = { accessToken: "access-token-of-upstream" };
    let found = "";
    const look = defineRpcMethod({
      handler(_, context) {
        context.updateTokens(tokens);
        const extended = context.with({ a: 1 });
        const all = [context, extended, { ...context }, Object.getOwnPropertyDescriptors(context)];
        found = inspect(all, { depth: 20, getters: true, showHidden: true });
      },
    });
    const { client } = await memory.start({ methods: { look } });
    const guest = client();
    await guest.call("look");
    const authorization = "Bearer of-someone";
    await guest.call("look", undefined, { authorization });
    expect(found).toContain("changeBasket");
    const cookie = guest.cookieHeader;
    for (const text of [testSecret, cookie, cookie.slice(-43), authorization, tokens.accessToken]) {
      expect(found).not.toContain(text);
    }
  });
});

/** A deployment's own method, written with the public entry alone. */
const addItemToBasket = defineRpcMethod({
  input: z.strictObject({ variantId: z.int(), quantity: z.int().min(1) }),
  handler: ({ variantId, quantity }, { changeBasket }) =>
    changeBasket((basket) => {
      const units = basket.items.reduce((sum, item) => sum + item.quantity, quantity);
      if (units > 5) throw new RpcError("basket_full", { status: 422, title: "5 items at most" });
      const item = { key: randomUUID(), variantId, quantity, addedAt: Date.now() };
      return { ...basket, items: [...basket.items, item] };
    }),
});

describeStorages("an addItemToBasket of a deployment", ({ start }) => {
  test("replaces the built-in one, and keeps parallel changes", async () => {
    const { client } = await start({ methods: { addItemToBasket } });
    const guest = client();
    const first = await guest.call("addItemToBasket", { variantId: 1, quantity: 1 });
    expect(first.body.basket).toMatchObject({ itemCount: 1, revision: 1 });
    const answers = await Promise.all(
      [2, 3, 4, 5, 6].map((variantId) => guest.call("addItemToBasket", { variantId, quantity: 1 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    const { basket } = (await guest.call("getBasket")).body;
    expect(basket).toMatchObject({ key: first.body.basket.key, itemCount: 5, revision: 5 });
    expect(answers.find(({ status }) => status === 422)?.body.code).toBe("basket_full");
  });

  test("begins no session if its rule rejects the change", async () => {
    const { client } = await start({ methods: { addItemToBasket } });
    const guest = client();
    const answer = await guest.call("addItemToBasket", { variantId: 1, quantity: 6 });
    expect(answer).toMatchObject({ status: 422, setCookies: [] });
  });
});

test("a rule that returns items alone keeps the revision and the notes of merges", async () => {
  const cut = defineRpcMethod({
    handler: (_, { changeBasket, changeWishlist }) =>
      Promise.all([
        changeBasket(({ items }) => ({ items: items.slice(0, 1), revision: 0 })),
        changeWishlist(({ items }) => ({ items: items.slice(0, 1) })),
      ]),
  });
  const driver = createMemoryDriver();
  const { client } = await memory.start({ methods: { cut }, storage: { session: driver } });
  const user = client();
  for (const variantId of [1, 2]) {
    await user.call("addItemToBasket", { variantId, quantity: 1 });
    await user.call("addItemToWishlist", { variantId });
  }
  const account = { email: "ada@example.com", password: "correct horse battery" };
  expect((await user.call("register", account)).body.merge.status).toBe("merged");
  const { revision } = (await user.call("getBasket")).body.basket;
  await user.call("cut");
  const { basket } = (await user.call("getBasket")).body;
  expect(basket).toMatchObject({ itemCount: 1, revision: revision + 1 });
  const lists = [
    ...(await readStored(driver, "basket:")),
    ...(await readStored(driver, "wishlist:")),
  ];
  expect(lists.filter(({ text }) => text.includes('"merged":{'))).toHaveLength(2);
});

describe("a method", () => {
  const greet = defineRpcMethod({
    input: z.strictObject({ greeting: z.string() }),
    handler({ greeting }, { user, updateCustomData }) {
      if (user === undefined) throw new RpcError("not_logged_in");
      updateCustomData({ greeted: true } as object);
      return `${greeting}, ${user.firstName}!`;
    },
  });

  test("can be tested with a made context", () => {
    const patches: object[] = [];
    const context = {
      user: { id: 7, firstName: "Ada" },
      updateCustomData: (patch) => void patches.push(patch),
    } as RpcContext;
    expect(greet.handler({ greeting: "Hello" }, context)).toBe("Hello, Ada!");
    expect(patches).toEqual([{ greeted: true }]);
    const guest = { ...context, user: undefined };
    expect(() => greet.handler({ greeting: "Hello" }, guest)).toThrow(RpcError);
  });

  test("can be called by another one, with a context that with() has extended", async () => {
    const welcome = defineRpcMethod({
      handler: (_, context) =>
        greet.handler({ greeting: "Welcome" }, context.with({ user: { id: 7, firstName: "Eve" } })),
    });
    const { client } = await memory.start({ methods: { welcome } });
    expect((await client().call("welcome")).body).toBe("Welcome, Eve!");
  });
});

import { describe, expect, onTestFinished, test } from "vitest";
import type { RpcContext } from "../../../rpc/context.ts";
import { createTestStorefront } from "../../../server/testing/index.ts";
import { run } from "../../fixtures/context-methods.ts";

class Unwritable {
  readonly #content = 1;
  read(): number {
    return this.#content;
  }
}

const circle: { inner: { self?: unknown } } = { inner: {} };
circle.inner.self = circle;
const largeCircle: { text: string; self?: unknown } = { text: "x".repeat(1000) };
largeCircle.self = largeCircle;

const faults: readonly (readonly [string, unknown, string])[] = [
  ["a Map", new Map([["a", 1]]), '"part" is a Map'],
  ["a Set in a list", [new Set(["a"])], '"part[0]" is a Set'],
  ["NaN", { price: NaN }, '"part.price" is NaN'],
  ["a function", () => 1, '"part" is a function'],
  ["a bigint", 1n, '"part" is a bigint'],
  ["an invalid Date", new Date(NaN), '"part" is an invalid Date'],
  ["an object of private fields", new Unwritable(), '"part" is a Unwritable'],
  ["a circle", circle, '"part.inner.self.inner'],
  ["a large circle", { ...largeCircle }, '"part.self.self'],
];

type Write = (context: RpcContext, data: Record<string, unknown>) => unknown;

const writes: readonly (readonly [string, string, Write])[] = [
  [
    "updateCustomData",
    "context.updateCustomData",
    (context, data) => context.updateCustomData(data),
  ],
  [
    "updateUser",
    "The user of a session",
    async (context, data) => {
      await context.createUserBoundSession({ id: 7 });
      context.updateUser({ id: 7, ...data });
    },
  ],
  [
    "createUserBoundSession",
    "The user of a session",
    (context, data) => context.createUserBoundSession({ id: 7, ...data }),
  ],
  [
    "updateTokens",
    "The tokens of a session",
    (context, data) => context.updateTokens({ accessToken: "t", ...data } as never),
  ],
];

describe.each(writes)("%s", (_, name, write) => {
  test.each(faults)(
    "rejects %s instead of storing something else",
    async (_kind, part, message) => {
      let reached: string | undefined;
      const { visitor, lines, close } = await open({
        keep: run(async (context) => {
          await write(context, { part });
          reached = "the end";
        }),
      });
      onTestFinished(close);
      expect((await visitor().call("keep")).status).toBe(500);
      expect(reached).toBeUndefined();
      const { details } = lines.find(({ message: text }) => text === "A call failed") ?? {};
      const text = String((details as { readonly error?: unknown } | undefined)?.error);
      expect(text).toContain(`${name}`);
      expect(text).toContain(message);
    },
  );
});

test.each([
  [
    "is a getter of its class",
    new (class {
      readonly email = "anna@shop.example";
      get id(): number {
        return 7;
      }
    })(),
  ],
  ["is left out by toJSON", { id: 7, toJSON: () => ({ _id: 7 }) }],
])("a user whose JSON has no id is rejected, and the session stays: it %s", async (_, user) => {
  const { visitor, lines, close } = await open({
    remember: run(({ updateCustomData }) => updateCustomData({ seen: [1] } as never)),
    enter: run(({ createUserBoundSession }) => createUserBoundSession(user)),
    change: run(({ updateUser }) => updateUser(user)),
    read: run(({ customData }) => customData),
  });
  onTestFinished(close);
  const guest = visitor();
  await guest.call("remember");
  for (const name of ["enter", "change"] as const) {
    expect((await guest.call(name)).status).toBe(500);
  }
  expect(lines.map(({ details }) => JSON.stringify(details))).toEqual([
    expect.stringContaining("its id is not in its JSON"),
    expect.stringContaining("its id is not in its JSON"),
  ]);
  expect((await guest.call("read")).body).toEqual({ seen: [1] });
});

test.each(faults)("changeBasket rejects %s in customData", async (_, part, message) => {
  const { visitor, lines, close } = await open({
    keep: run(({ changeBasket }) =>
      changeBasket((basket, _options, now, createKey) => {
        const item = { key: createKey(), variantId: 7, quantity: 1, addedAt: now };
        return { ...basket, items: [{ ...item, customData: { part } }] };
      }),
    ),
  });
  onTestFinished(close);
  const guest = visitor();
  expect((await guest.call("keep")).status).toBe(500);
  expect(JSON.stringify(lines)).toContain(
    JSON.stringify(message.replace("part", "items[0].customData.part")).slice(1, -1),
  );
  expect(await guest.call("getBasket")).toMatchObject({ body: { basket: { items: [] } } });
});

test("a call sees its stored values as a later call does", async () => {
  const data = {
    at: new Date(0),
    price: { toJSON: () => "1.00" },
    none: undefined,
    deep: { none: undefined },
    list: Object.assign([], { 1: undefined, 2: 1 }),
  };
  const { visitor, close } = await open({
    keep: run(({ updateCustomData, customData, createUserBoundSession, updateUser, user }) => {
      void [customData, user];
      updateCustomData({ removed: 1 } as never);
      updateCustomData({ ...data, removed: undefined, gone: { toJSON: () => undefined } } as never);
      return createUserBoundSession({ id: 7 }).then(() => updateUser({ id: 7, ...data }));
    }),
    read: run(({ customData, user }) => [customData, user]),
  });
  onTestFinished(close);
  const guest = visitor();
  await guest.call("keep");
  const stored = { at: "1970-01-01T00:00:00.000Z", price: "1.00", deep: {}, list: [null, null, 1] };
  expect((await guest.call("read")).body).toEqual([stored, { id: 7, ...stored }]);
});

// --- Internal helpers ---

function open<Own extends Parameters<typeof createTestStorefront>[0]["methods"]>(methods: Own) {
  return createTestStorefront({
    shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
    methods,
  });
}

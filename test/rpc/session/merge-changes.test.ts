import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { mergeChanges } from "../../../rpc/session/record-changes.ts";
import { createFaultyDriver, later } from "../../_faulty-driver.ts";
import { createSetup, describeStorages } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";

describe("mergeChanges", () => {
  test("applies changed, added and removed fields, and keeps the fields that others changed", () => {
    const base = { same: 1, ours: 1, theirs: 1, removed: 1 };
    const ours = { same: 1, ours: 2, theirs: 1, added: 1 };
    const current = { same: 1, ours: 1, theirs: 2, removed: 1, new: 1 };
    expect(mergeChanges(base, ours, current)).toEqual({
      same: 1,
      ours: 2,
      theirs: 2,
      added: 1,
      new: 1,
    });
  });

  test("keeps a field removed that others removed, unless it changed", () => {
    expect(mergeChanges({ a: 1, b: 1 }, { a: 1, b: 2 }, {})).toEqual({ b: 2 });
  });

  test("prefers our change if both changed one field", () => {
    expect(mergeChanges({ a: 1 }, { a: 2 }, { a: 3 })).toEqual({ a: 2 });
    expect(mergeChanges({ a: 1 }, { a: undefined }, { a: 3 })).toEqual({});
  });

  test("merges nested objects field by field", () => {
    const base = { address: { city: "Ulm", street: "A", geo: { x: 1, y: 1 } } };
    const ours = { address: { city: "Bonn", street: "A", geo: { x: 2, y: 1 } } };
    const current = { address: { city: "Ulm", street: "B", geo: { x: 1, y: 2 } } };
    expect(mergeChanges(base, ours, current)).toEqual({
      address: { city: "Bonn", street: "B", geo: { x: 2, y: 2 } },
    });
  });

  test("treats an array as one field", () => {
    expect(mergeChanges({ a: [1] }, { a: [1, 2] }, { a: [1, 3] })).toEqual({ a: [1, 2] });
    expect(mergeChanges({ a: [1] }, { a: [1] }, { a: [1, 3] })).toEqual({ a: [1, 3] });
  });

  test("sets the whole value if one of the values is no object", () => {
    expect(mergeChanges(undefined, { a: 1 }, { b: 1 })).toEqual({ a: 1 });
    expect(mergeChanges({ a: 1 }, { a: 1 }, undefined)).toEqual({ a: 1 });
    expect(mergeChanges({ a: { b: 1 } }, { a: { b: 2 } }, { a: null })).toEqual({ a: { b: 2 } });
    expect(mergeChanges({ a: { b: 1 } }, { a: null }, { a: { b: 2 } })).toEqual({ a: null });
    expect(mergeChanges(1, 2, 3)).toBe(2);
  });

  test("treats the names of object internals as fields", () => {
    const ours = JSON.parse('{"__proto__":{"polluted":1},"constructor":1}') as object;
    const result = mergeChanges({}, ours, { toString: 1 });
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.keys(result).toSorted()).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("changes none of its arguments", () => {
    const [base, ours, current] = [{ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 1, c: 1 } }];
    const before = structuredClone([base, ours, current]);
    mergeChanges(base, ours, current);
    expect([base, ours, current]).toEqual(before);
  });
});

const enter = defineRpcMethod({
  input: z.strictObject({ id: z.string() }),
  handler: (user, { createUserBoundSession }) => createUserBoundSession(user),
});
const remember = defineRpcMethod({
  input: z.record(z.string(), z.unknown()),
  handler: (data, { updateCustomData }) => updateCustomData(data),
});
const recall = defineRpcMethod({ handler: (_, { customData }) => customData });
const change = defineRpcMethod({
  access: "user",
  input: z.record(z.string(), z.unknown()),
  handler: (fields, { user, updateUser }) => updateUser({ ...user, ...fields }),
});
const methods = { enter, remember, recall, change };

const fifty = Array.from({ length: 50 }, (_, index) => index);
const fiftyKeys = Object.fromEntries(fifty.map((index) => [`k${index}`, index]));

const toField = (index: number) => ({ [`k${index}`]: index });

/** Makes 50 parallel calls, spread over the visitors. Each must succeed. */
async function callFifty(
  clients: readonly CookieClient[],
  method: string,
  toPayload: (index: number) => unknown,
): Promise<void> {
  const calls = fifty.map((index) =>
    clients[index % clients.length]?.call(method, toPayload(index)),
  );
  const statuses = (await Promise.all(calls)).map((answer) => answer?.status);
  expect(statuses.filter((status) => status !== 200 && status !== 204)).toEqual([]);
}

/** Makes 50 parallel changes of each kind, and expects all of them afterwards. */
async function expectNothingLost(
  clients: readonly [CookieClient, ...CookieClient[]],
): Promise<void> {
  const [client] = clients;
  await callFifty(clients, "remember", toField);
  expect((await client.call("recall")).body).toMatchObject(fiftyKeys);
  await callFifty(clients, "addItemToBasket", (index) => ({
    variantId: `v${index % 25}`,
    quantity: 1,
  }));
  const { basket } = (await client.call("getBasket")).body;
  expect(basket).toMatchObject({ itemCount: 50, revision: 50 });
  expect(basket.items).toHaveLength(25);
  await callFifty(clients, "addItemToWishlist", (index) => ({ productId: `p${index}` }));
  expect((await client.call("getWishlist")).body.wishlist.items).toHaveLength(50);
  const { user } = (await client.call("getUser")).body;
  if (user === undefined) return;
  await callFifty(clients, "change", toField);
  expect((await client.call("getUser")).body).toEqual({ user: { ...user, ...fiftyKeys } });
}

describeStorages("parallel changes", ({ driver, start, storage }) => {
  test.each(["guest", "user"])("keeps all changes of 50 parallel calls of a %s", async (who) => {
    const session = storage();
    const first = await start({ methods, storage: { session } });
    // On Redis, this simulates another process.
    const second = driver === "redis" ? await start({ methods, storage: { session } }) : first;
    const client = first.client();
    await client.call("remember", { first: 1 });
    if (who === "user") await client.call("enter", { id: "u1" });
    const twin = second.client();
    for (const [name, value] of client.cookies) twin.cookies.set(name, value);
    await expectNothingLost([client, twin]);
  });
});

describe("parallel changes on a slow storage", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each(["guest", "user"])("keeps all changes of 50 parallel calls of a %s", async (who) => {
    const slow = createFaultyDriver();
    const { client } = await start({ methods, storage: { session: slow.driver } });
    const customer = client();
    await customer.call("remember", { first: 1 });
    if (who === "user") await customer.call("enter", { id: "u1" });
    slow.before = later;
    slow.after = later;
    await expectNothingLost([customer]);
  });
});

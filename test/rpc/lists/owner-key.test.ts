import { beforeEach, expect, test, vi } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createSetup } from "../../_setup.ts";

const hashes = vi.hoisted(() => ({ count: 0 }));

vi.mock(import("node:crypto"), async (load) => {
  const crypto = await load();
  const createHash = ((...args: Parameters<typeof crypto.createHash>) => {
    hashes.count++;
    return crypto.createHash(...args);
  }) as typeof crypto.createHash;
  return { ...crypto, createHash };
});

const enter = defineRpcMethod({
  handler: (_, context) => context.createUserBoundSession({ id: 7 }),
});
const readKeys = defineRpcMethod({
  handler: (_, { basketKey, wishlistKey }) => [basketKey, wishlistKey],
});

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
const line = { variantId: 7, quantity: 1 };

beforeEach(() => {
  hashes.count = 0;
});

async function startClient() {
  const { client } = await setup.start({ methods: { enter, readKeys } });
  return client();
}

test.each([
  ["addItemToBasket", line],
  ["getBasket", undefined],
  ["addItemToWishlist", { variantId: 7 }],
  ["readKeys", undefined],
])("computes a user's owner key once in %s", async (method, payload) => {
  const client = await startClient();
  await client.call("enter");
  hashes.count = 0;
  expect((await client.call(method, payload)).status).toBe(200);
  expect(hashes.count).toBe(1);
});

test("computes a user's owner key once in a login that merges a basket and a wishlist", async () => {
  const client = await startClient();
  await client.call("addItemToBasket", line);
  await client.call("addItemToWishlist", { variantId: 7 });
  expect(hashes.count, "for a guest").toBe(0);
  const { body } = await client.call("enter");
  expect(body).toMatchObject({ status: "merged" });
  expect(hashes.count).toBe(1);
});

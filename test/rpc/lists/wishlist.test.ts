import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { createSetup, describeStorages } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";

/** Logs in without a password. */
const enter = defineRpcMethod({
  input: z.strictObject({ id: z.string() }),
  handler: (user, { createUserBoundSession }) => createUserBoundSession(user),
});

const wish = (client: CookieClient, item: unknown) => client.call("addItemToWishlist", item);

async function wishlistOf(client: CookieClient): Promise<Answer["body"]> {
  return (await client.call("getWishlist")).body.wishlist;
}

describeStorages("a wishlist", ({ start }) => {
  test("gets no key while it is empty, and a read creates no session", async () => {
    const { client } = await start();
    const answer = await client().call("getWishlist");
    expect(answer.body).toEqual({ wishlist: { key: null, items: [] } });
    expect(answer.setCookies).toEqual([]);
  });

  test("returns each item with its key, its variant or product, and its time", async () => {
    const { client } = await start();
    const guest = client();
    await wish(guest, { variantId: 7 });
    const answer = await wish(guest, { productId: "p" });
    const common = { key: expect.any(String), addedAt: expect.any(Number) };
    expect(answer.body).toEqual({
      wishlist: {
        key: expect.any(String),
        items: [
          { ...common, variantId: 7 },
          { ...common, productId: "p" },
        ],
      },
    });
    expect(await wishlistOf(guest)).toEqual(answer.body.wishlist);
    expect(answer.body.wishlist.key).not.toContain(guest.sessionId);
    const { key } = (await guest.call("addItemToBasket", { variantId: 7, quantity: 1 })).body
      .basket;
    expect(key).toEqual(expect.any(String));
    expect((await wishlistOf(guest)).items).toHaveLength(2);
  });

  test("keeps an item unchanged if it is added again", async () => {
    const { client } = await start();
    const guest = client();
    const first = await wish(guest, { variantId: 7 });
    expect((await wish(guest, { variantId: 7 })).body).toEqual(first.body);
    expect((await wish(guest, { productId: 7 })).body.wishlist.items).toHaveLength(2);
    expect((await wish(guest, { variantId: "7" })).body.wishlist.items).toHaveLength(3);
  });

  test("removes an item by its key, and keeps its own key when clearWishlist removes all items", async () => {
    const { client } = await start();
    const guest = client();
    await wish(guest, { variantId: 1 });
    await wish(guest, { variantId: 2 });
    const { key, items } = (await wish(guest, { variantId: 3 })).body.wishlist;
    const removed = await guest.call("removeItemFromWishlist", { itemKey: items[1].key });
    expect(removed.body).toEqual({ wishlist: { key, items: [items[0], items[2]] } });
    const cleared = await guest.call("clearWishlist");
    expect(cleared.body).toEqual({ wishlist: { key, items: [] } });
    expect((await guest.call("clearWishlist")).body).toEqual(cleared.body);
  });

  test("returns 404 for an unknown item key, and for a key of another visitor's wishlist", async () => {
    const { client } = await start();
    const [guest, other] = [client(), client()];
    await wish(guest, { variantId: 7 });
    const [{ key: foreign }] = (await wish(other, { variantId: 7 })).body.wishlist.items;
    for (const itemKey of [foreign, "nope", "__proto__"]) {
      const answer = await guest.call("removeItemFromWishlist", { itemKey });
      expect(answer).toMatchObject({ status: 404, body: { code: "unknown_item" } });
    }
    expect((await wishlistOf(guest)).items).toHaveLength(1);
    expect((await wishlistOf(other)).items).toHaveLength(1);
  });

  test("rejects an item above the shop's maxItems, but accepts one that it has already", async () => {
    const { client } = await start({
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de", wishlist: { maxItems: 2 } },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us" },
      ],
    });
    const [guest, elsewhere] = [client(1001), client(1002)];
    for (const variantId of [1, 2]) await wish(guest, { variantId });
    const before = await wishlistOf(guest);
    const refused = await wish(guest, { variantId: 3 });
    expect(refused).toMatchObject({ status: 422, body: { code: "limit_reached" } });
    expect((await wish(guest, { variantId: 2 })).status).toBe(200);
    expect(await wishlistOf(guest)).toEqual(before);
    for (const variantId of [1, 2, 3]) {
      expect((await wish(elsewhere, { variantId })).status).toBe(200);
    }
  });

  test("belongs to one visitor in one shop, and to a user on every device", async () => {
    const { client } = await start({ methods: { enter } });
    const [user, device, stranger] = [client(1001), client(1001), client(1001)];
    const there = client(1002);
    for (const each of [user, there]) await each.call("enter", { id: "u1" });
    await wish(user, { variantId: 7 });
    await wish(there, { variantId: 8 });
    const before = await wishlistOf(user);
    await user.call("logout");
    expect(await wishlistOf(user)).toEqual({ key: null, items: [] });
    for (const each of [user, device]) {
      await each.call("enter", { id: "u1" });
      expect(await wishlistOf(each)).toEqual(before);
    }
    expect((await wishlistOf(there)).items).toMatchObject([{ variantId: 8 }]);
    expect(await wishlistOf(stranger)).toEqual({ key: null, items: [] });
  });

  test("lives as long as the guest's session, however often that is extended", async () => {
    const clock = createTestClock();
    const { client } = await start({ session: { maxAge: 1000 } }, { clock });
    const guest = client();
    await wish(guest, { variantId: 7 });
    for (let step = 0; step < 5; step++) {
      await clock.advance(900);
      await guest.call("getBasket");
    }
    expect((await wishlistOf(guest)).items).toHaveLength(1);
    await clock.advance(1000.001);
    expect(await wishlistOf(guest)).toEqual({ key: null, items: [] });
  });
});

describe("the input of the wishlist methods", () => {
  const { start, startControlled } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("begins no session and stores nothing if a call fails or changes nothing", async () => {
    const { client, storage } = await startControlled();
    const guest = client();
    const answers = [
      await guest.call("clearWishlist"),
      await guest.call("removeItemFromWishlist", { itemKey: "nope" }),
      await wish(guest, {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 422]);
    expect(answers.flatMap(({ setCookies }) => setCookies)).toEqual([]);
    expect(storage.operations.filter(({ kind }) => kind !== "read")).toEqual([]);
  });

  const notAnId = [0, -1, 1.5, 1e21, Number.NaN, null, true, {}, [], "", "x".repeat(65)];
  const notAKey = [0, 1, Number.NaN, null, true, {}, [], "", "x".repeat(65)];
  const refusals: Record<string, readonly unknown[]> = {
    addItemToWishlist: [
      ...notAnId.map((variantId) => ({ variantId })),
      ...notAnId.map((productId) => ({ productId })),
      { variantId: 7, productId: 7 },
      { variantId: 7, quantity: 1 },
      {},
      [],
      7,
      null,
      undefined,
    ],
    removeItemFromWishlist: [
      ...notAKey.map((itemKey) => ({ itemKey })),
      { itemKey: "k", key: "k" },
      {},
      undefined,
    ],
  };

  test.each(Object.entries(refusals))("rejects invalid input of %s", async (method, payloads) => {
    const { client } = await start();
    const guest = client();
    await wish(guest, { variantId: 1 });
    const before = await wishlistOf(guest);
    for (const payload of payloads) {
      const answer = await guest.call(method, payload);
      expect(answer.body, JSON.stringify(payload)).toMatchObject({ code: "invalid_input" });
      expect(answer.status).toBe(422);
      const aFault = { path: expect.any(Array), message: expect.any(String) };
      expect(answer.body.errors).toContainEqual(aFault);
    }
    expect(await wishlistOf(guest)).toEqual(before);
  });

  test("accepts IDs of 1 and of 64 characters, and the largest integer", async () => {
    const { client } = await start();
    const guest = client();
    for (const id of ["x", "x".repeat(64), 1, Number.MAX_SAFE_INTEGER]) {
      expect((await wish(guest, { variantId: id })).status).toBe(200);
      expect((await wish(guest, { productId: id })).status).toBe(200);
    }
    expect((await wishlistOf(guest)).items).toHaveLength(8);
  });
});

import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { describeStorages } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";

/** Logs in without a password. */
const enter = defineRpcMethod({
  input: z.strictObject({ id: z.string() }),
  handler: (user, { createUserBoundSession }) => createUserBoundSession(user),
});

const small = {
  shops: [
    {
      shopId: 1001,
      locale: "de-DE",
      currency: "EUR",
      path: "de",
      basket: { maxItems: 2, maxQuantity: 10 },
    },
    { shopId: 1002, locale: "en-US", currency: "USD", path: "us" },
  ],
};

const add = (client: CookieClient, variantId: unknown, quantity: unknown, customData?: unknown) =>
  client.call("addItemToBasket", { variantId, quantity, customData });

async function basketOf(client: CookieClient): Promise<Answer["body"]> {
  return (await client.call("getBasket")).body.basket;
}

describeStorages("a basket", ({ start }) => {
  test("gets no key while it is empty, and a read creates no session", async () => {
    const { client } = await start();
    const guest = client();
    const answer = await guest.call("getBasket");
    expect(answer.body).toEqual({ basket: { key: null, items: [], itemCount: 0, revision: 0 } });
    expect(answer.setCookies).toEqual([]);
  });

  test("returns each line with its key, variant, quantity, custom data and time", async () => {
    const { client } = await start();
    const guest = client();
    const before = Date.now();
    const answer = await add(guest, "sku-1", 2, { engraving: "Ada" });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({
      basket: {
        key: expect.any(String),
        items: [
          {
            key: expect.any(String),
            variantId: "sku-1",
            quantity: 2,
            customData: { engraving: "Ada" },
            addedAt: expect.any(Number),
          },
        ],
        itemCount: 2,
        revision: 1,
      },
    });
    const [item] = answer.body.basket.items;
    expect(item.addedAt - before).toBeGreaterThanOrEqual(0);
    expect(Date.now() - item.addedAt).toBeGreaterThanOrEqual(0);
    expect(await basketOf(guest)).toEqual(answer.body.basket);
    expect(answer.body.basket.key).not.toContain(guest.sessionId);
  });

  test("joins lines of the same variant with the same custom data, in any order of keys", async () => {
    const { client } = await start();
    const guest = client();
    const first = await add(guest, 7, 1, { a: 1, b: { c: [1, 2], d: null } });
    const second = await add(guest, 7, 2, { b: { d: null, c: [1, 2] }, a: 1 });
    const [line] = first.body.basket.items;
    expect(second.body.basket.items).toEqual([{ ...line, quantity: 3 }]);
    await add(guest, 8, 1);
    expect((await add(guest, 8, 1, {})).body.basket.items).toHaveLength(2);
  });

  test("keeps lines apart if their custom data or the order of its arrays differs", async () => {
    const { client } = await start();
    const guest = client();
    for (const data of [{ size: [1, 2] }, { size: [2, 1] }, { size: "1,2" }, undefined]) {
      await add(guest, 7, 1, data);
    }
    expect(await basketOf(guest)).toMatchObject({ itemCount: 4, revision: 4 });
    expect((await basketOf(guest)).items).toHaveLength(4);
  });

  test("adds all lines of addItemsToBasket or none", async () => {
    const { client } = await start();
    const guest = client();
    const items = [1, 2, 1].map((variantId, index) => ({ variantId, quantity: index + 1 }));
    const added = await guest.call("addItemsToBasket", { items });
    expect(added.body.basket).toMatchObject({
      items: [
        { variantId: 1, quantity: 4 },
        { variantId: 2, quantity: 2 },
      ],
      itemCount: 6,
      revision: 1,
    });
    const invalid = [...items, { variantId: 3, quantity: 0 }];
    expect(await guest.call("addItemsToBasket", { items: invalid })).toMatchObject({
      status: 422,
      body: { code: "invalid_input", errors: [{ path: ["items", 3, "quantity"] }] },
    });
    expect(await basketOf(guest)).toEqual(added.body.basket);
  });

  test("changes only the fields that updateBasketItem gets", async () => {
    const { client } = await start();
    const guest = client();
    const { items } = (await add(guest, 7, 1, { a: 1 })).body.basket;
    const itemKey = items[0].key;
    const more = await guest.call("updateBasketItem", { itemKey, quantity: 5 });
    expect(more.body.basket.items).toEqual([{ ...items[0], quantity: 5 }]);
    const other = await guest.call("updateBasketItem", { itemKey, customData: { b: 2 } });
    expect(other.body.basket.items).toEqual([{ ...items[0], quantity: 5, customData: { b: 2 } }]);
    const same = await guest.call("updateBasketItem", { itemKey, quantity: 5 });
    expect([other, same].map(({ body }) => body.basket.revision)).toEqual([3, 3]);
  });

  test("joins a line with another line if a change makes them equal", async () => {
    const { client } = await start(small);
    const guest = client();
    await add(guest, 7, 2, { a: 1 });
    const { items } = (await add(guest, 7, 3, { a: 2 })).body.basket;
    const itemKey = items[1].key;
    const joined = await guest.call("updateBasketItem", { itemKey, customData: { a: 1 } });
    expect(joined.body.basket).toMatchObject({ itemCount: 5 });
    expect(joined.body.basket.items).toEqual([{ ...items[1], quantity: 5, customData: { a: 1 } }]);
    await add(guest, 7, 6, { a: 2 });
    const before = await basketOf(guest);
    const refused = await guest.call("updateBasketItem", { itemKey, customData: { a: 2 } });
    expect(refused).toMatchObject({ status: 422, body: { code: "limit_reached" } });
    expect(await basketOf(guest)).toEqual(before);
  });

  test("removes a line by its key, and keeps its own key when clearBasket removes all lines", async () => {
    const { client } = await start();
    const guest = client();
    await add(guest, 1, 1);
    await add(guest, 2, 1);
    const { key, items } = (await add(guest, 3, 1)).body.basket;
    const removed = await guest.call("removeItemFromBasket", { itemKey: items[1].key });
    expect(removed.body.basket).toEqual({
      key,
      items: [items[0], items[2]],
      itemCount: 2,
      revision: 4,
    });
    const cleared = await guest.call("clearBasket");
    expect(cleared.body.basket).toEqual({ key, items: [], itemCount: 0, revision: 5 });
    expect((await guest.call("clearBasket")).body).toEqual(cleared.body);
  });

  test("returns 404 for an unknown item key, and for a key of another visitor's basket", async () => {
    const { client } = await start();
    const [guest, other] = [client(), client()];
    await add(guest, 7, 1);
    const [{ key: foreign }] = (await add(other, 7, 1)).body.basket.items;
    const unknown = { status: 404, body: { code: "unknown_item" } };
    for (const itemKey of [foreign, "nope", "__proto__"]) {
      expect(await guest.call("updateBasketItem", { itemKey, quantity: 5 })).toMatchObject(unknown);
      expect(await guest.call("removeItemFromBasket", { itemKey })).toMatchObject(unknown);
    }
    expect(await basketOf(guest)).toMatchObject({ itemCount: 1, revision: 1 });
    expect(await basketOf(other)).toMatchObject({ itemCount: 1, revision: 1 });
  });

  test("belongs to one visitor in one shop", async () => {
    const { client } = await start({ methods: { enter } });
    const guest = client(1001);
    await add(guest, 7, 1);
    const there = guest.clone(1002);
    expect(await basketOf(there)).toMatchObject({ key: null, items: [] });
    await add(there, 8, 1);
    expect((await basketOf(guest)).items).toMatchObject([{ variantId: 7 }]);
    await guest.call("enter", { id: "u1" });
    await there.call("enter", { id: "u1" });
    expect((await basketOf(guest)).items).toMatchObject([{ variantId: 7 }]);
    expect((await basketOf(there)).items).toMatchObject([{ variantId: 8 }]);
    expect(await basketOf(client())).toMatchObject({ key: null, items: [] });
  });

  test("stays the same for a user after logout and login, on every device", async () => {
    const { client } = await start({ methods: { enter } });
    const [user, device] = [client(), client()];
    await user.call("enter", { id: "u1" });
    await add(user, 7, 2);
    const before = await basketOf(user);
    await user.call("logout");
    expect(await basketOf(user)).toMatchObject({ key: null, items: [] });
    await user.call("enter", { id: "u1" });
    await device.call("enter", { id: "u1" });
    expect(await basketOf(user)).toEqual(before);
    expect(await basketOf(device)).toEqual(before);
  });

  test("lives as long as the guest's session, however often that is extended", async () => {
    const clock = createTestClock();
    const { client } = await start({ session: { maxAge: 1000 } }, { clock });
    const guest = client();
    await add(guest, 7, 2);
    const id = guest.sessionId;
    for (let step = 0; step < 5; step++) {
      await clock.advance(900);
      expect((await guest.call("getUser")).status).toBe(200);
    }
    expect(await basketOf(guest)).toMatchObject({ itemCount: 2 });
    expect(guest.sessionId).toBe(id);
    await clock.advance(1000.001);
    expect(await basketOf(guest)).toMatchObject({ key: null, items: [] });
  });
});

import { describe, expect, test } from "vitest";
import { createSetup, describeStorages } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";

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

const aFault = { path: expect.any(Array), message: expect.any(String) };

const tooMany = (...path: unknown[]) => ({
  status: 422,
  body: { code: "limit_reached", errors: [{ path }] },
});

async function basketOf(client: CookieClient): Promise<Answer["body"]> {
  return (await client.call("getBasket")).body.basket;
}

describeStorages("a basket within the limits of its shop", ({ start }) => {
  test("rejects a quantity above the shop's maxQuantity with its path, and changes nothing", async () => {
    const { client } = await start(small);
    const guest = client();
    await add(guest, 7, 6);
    const before = await basketOf(guest);
    expect(await add(guest, 7, 5)).toMatchObject(tooMany("quantity"));
    expect(await add(guest, 8, 11)).toMatchObject(tooMany("quantity"));
    expect(await add(guest, 8, Number.MAX_SAFE_INTEGER)).toMatchObject(tooMany("quantity"));
    const twice = [6, 5].map((quantity) => ({ variantId: 8, quantity }));
    expect(await guest.call("addItemsToBasket", { items: twice })).toMatchObject(
      tooMany("items", 1, "quantity"),
    );
    const [{ key: itemKey }] = before.items;
    expect(await guest.call("updateBasketItem", { itemKey, quantity: 11 })).toMatchObject(
      tooMany("quantity"),
    );
    expect(await basketOf(guest)).toEqual(before);
    expect(await add(guest, 7, 4)).toMatchObject({
      status: 200,
      body: { basket: { itemCount: 10 } },
    });
  });

  test("rejects a line above the shop's maxItems, and changes nothing", async () => {
    const { client } = await start(small);
    const guest = client();
    await add(guest, 1, 1);
    await add(guest, 2, 1);
    const before = await basketOf(guest);
    const refused = { status: 422, body: { code: "limit_reached" } };
    expect(await add(guest, 3, 1)).toMatchObject(refused);
    const items = [1, 3].map((variantId) => ({ variantId, quantity: 1 }));
    expect(await guest.call("addItemsToBasket", { items })).toMatchObject(refused);
    expect(await basketOf(guest)).toEqual(before);
    expect(await add(guest, 2, 1)).toMatchObject({
      status: 200,
      body: { basket: { itemCount: 3 } },
    });
  });

  test("applies the limits of each shop", async () => {
    const { client } = await start(small);
    expect((await add(client(1001), 7, 11)).status).toBe(422);
    expect((await add(client(1002), 7, 1000)).status).toBe(200);
    expect((await add(client(1002), 7, 1001)).status).toBe(422);
  });
});

describe("the input of the basket methods", () => {
  const { start, startControlled } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("begins no session and stores nothing if a call fails or changes nothing", async () => {
    const { client, storage } = await startControlled(small);
    const guest = client();
    const answers = [
      await guest.call("clearBasket"),
      await guest.call("removeItemFromBasket", { itemKey: "nope" }),
      await guest.call("updateBasketItem", { itemKey: "nope", quantity: 1 }),
      await add(guest, 7, 11),
      await add(guest, 7, 0),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 422, 422]);
    expect(answers.flatMap(({ setCookies }) => setCookies)).toEqual([]);
    expect(storage.operations.filter(({ kind }) => kind !== "read")).toEqual([]);
  });

  test("accepts custom data of up to 4,096 characters of JSON", async () => {
    const { client } = await start();
    const guest = client();
    const most = { note: "x".repeat(4096 - '{"note":""}'.length) };
    expect((await add(guest, 7, 1, most)).body.basket.items[0].customData).toEqual(most);
    const refused = {
      status: 422,
      body: { code: "invalid_input", errors: [{ path: ["customData"] }] },
    };
    expect(await add(guest, 7, 1, { note: `${most.note}x` })).toMatchObject(refused);
    for (const data of [null, "text", 1, [], [1]]) {
      expect(await add(guest, 7, 1, data)).toMatchObject(refused);
    }
    expect(await basketOf(guest)).toMatchObject({ revision: 1 });
  });

  test("changes no object for custom data with the names of object internals", async () => {
    const { client } = await start();
    const guest = client();
    const customData = '{"constructor":{"prototype":{"polluted":1}},"a":1}';
    const answer = await guest.request("/api/rpc/addItemToBasket", {
      method: "POST",
      headers: { "content-type": "application/json", "x-shop-id": "1001" },
      body: `{"payload":{"variantId":7,"quantity":1,"customData":${customData}}}`,
    });
    expect(answer.status).toBe(200);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const [item] = (await basketOf(guest)).items;
    expect(item.customData).toMatchObject({ a: 1 });
    expect(item.customData.polluted).toBeUndefined();
    expect(Object.getPrototypeOf(item.customData)).toBe(Object.prototype);
  });

  const notAnId = [0, -1, 1.5, 1e21, Number.NaN, null, true, {}, [], [1], "", "x".repeat(65)];
  const notAQuantity = [0, -1, 1.5, 1e21, Number.NaN, null, true, {}, [], "1", ""];
  const notAKey = [0, 1, Number.NaN, null, true, {}, [], "", "x".repeat(65)];
  const notALine = [
    ...notAnId.map((variantId) => ({ variantId, quantity: 1 })),
    ...notAQuantity.map((quantity) => ({ variantId: 7, quantity })),
    { variantId: 7 },
    { quantity: 1 },
    { variantId: 7, quantity: 1, price: 0 },
    {},
    [],
    "7",
    null,
  ];
  const refusals: Record<string, readonly unknown[]> = {
    addItemToBasket: [...notALine, undefined],
    addItemsToBasket: [
      ...notALine.map((line) => ({ items: [{ variantId: 7, quantity: 1 }, line] })),
      { items: [] },
      { items: {} },
      { items: Array.from({ length: 1001 }, () => ({ variantId: 7, quantity: 1 })) },
      { items: [{ variantId: 7, quantity: 1 }], key: "k" },
      {},
      undefined,
    ],
    updateBasketItem: [
      ...notAKey.map((itemKey) => ({ itemKey, quantity: 1 })),
      ...notAQuantity.map((quantity) => ({ itemKey: "k", quantity })),
      { itemKey: "k", customData: "text" },
      { itemKey: "k", variantId: 7 },
      { quantity: 1 },
      undefined,
    ],
    removeItemFromBasket: [
      ...notAKey.map((itemKey) => ({ itemKey })),
      { itemKey: "k", key: "k" },
      {},
      undefined,
    ],
  };

  test.each(Object.entries(refusals))(
    "rejects invalid input of %s with paths",
    async (method, payloads) => {
      const { client } = await start();
      const guest = client();
      await add(guest, 1, 1);
      const before = await basketOf(guest);
      for (const payload of payloads) {
        const answer = await guest.call(method, payload);
        expect(answer.body, JSON.stringify(payload)).toMatchObject({ code: "invalid_input" });
        expect(answer.status).toBe(422);
        expect(answer.body.errors).toContainEqual(aFault);
      }
      expect(await basketOf(guest)).toEqual(before);
    },
  );

  test("accepts IDs of 1 and of 64 characters, and the largest integer", async () => {
    const { client } = await start();
    const guest = client();
    for (const variantId of ["x", "x".repeat(64), 1, Number.MAX_SAFE_INTEGER]) {
      expect((await add(guest, variantId, 1)).status).toBe(200);
    }
    expect((await basketOf(guest)).items).toHaveLength(4);
  });
});

import { expect, onTestFinished, test } from "vitest";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { createSetup } from "../../_setup.ts";

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));
const item = { variantId: 7, quantity: 2 };
const headers = { "content-type": "application/json" };

const methods = {
  showBasket: defineRpcMethod({ verb: "GET", handler: (_, { callRpc }) => callRpc("getBasket") }),
  hasGrant: defineCommerceMethod({
    verb: "GET",
    handler: (_, { grant }) => grant !== undefined,
  }),
  addByGet: defineRpcMethod({
    verb: "GET",
    handler: (_, { callRpc }) => callRpc("addItemToBasket", item),
  }),
  orderByGet: defineRpcMethod({ verb: "GET", handler: (_, { callRpc }) => callRpc("placeOrder") }),
};

async function open() {
  const system = await startCommerceSystem("carts");
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind: "carts" });
  const { client } = await start({ commerce, methods });
  const visitor = client();
  const get = (name: string) => visitor.request(`/de/api/rpc/${name}`);
  return { system, visitor, get };
}

test("a GET reads the basket of a commerce system, and begins no grant for a guest", async () => {
  const { system, visitor, get } = await open();
  expect(await get("showBasket")).toMatchObject({ status: 200, setCookies: [] });
  expect(await get("hasGrant")).toMatchObject({ body: false, setCookies: [] });
  expect(system.begun()).toBe(0);
  await visitor.call("addItemToBasket", item);
  expect((await get("hasGrant")).body).toBe(true);
  expect((await get("showBasket")).body.basket.items).toMatchObject([{ quantity: 2 }]);
});

test.each(["addByGet", "orderByGet"])(
  "a GET can't change anything in a commerce system: %s",
  async (name) => {
    allowErrors();
    const { system, visitor, get } = await open();
    expect(await get(name)).toMatchObject({ status: 500, setCookies: [] });
    expect(system.begun()).toBe(0);
    await visitor.call("addItemToBasket", item);
    expect((await get(name)).body.code).toBe("internal_error");
    expect((await get("showBasket")).body.basket.items).toMatchObject([{ quantity: 2 }]);
  },
);

test("the basket methods of a commerce system accept the verbs of the built-in ones", async () => {
  const { visitor } = await open();
  const send = async (method: string, name: string, payload?: unknown) => {
    const body = JSON.stringify({ payload });
    const answer = await visitor.request(`/de/api/rpc/${name}`, { method, headers, body });
    return answer.body.basket.items;
  };
  expect(await send("PUT", "addItemToBasket", item)).toMatchObject([{ quantity: 2 }]);
  const changed = { itemKey: "line-7", quantity: 1 };
  expect(await send("PUT", "updateBasketItem", changed)).toMatchObject([{ quantity: 1 }]);
  expect(await send("DELETE", "removeItemFromBasket", { itemKey: "line-7" })).toEqual([]);
  expect(await send("PUT", "addItemsToBasket", { items: [item] })).toHaveLength(1);
  expect(await send("DELETE", "clearBasket")).toEqual([]);
});

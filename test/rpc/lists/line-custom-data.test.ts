import { expect, test } from "vitest";
import { createSetup } from "../../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

/** Writes the JSON by hand, because JSON.stringify writes no `-0`. */
function add(items: readonly string[]) {
  const lines = items.map((data) => `{"variantId":7,"quantity":1,"customData":${data}}`);
  return {
    method: "POST",
    headers: { "content-type": "application/json", "x-shop-id": "1001" },
    body: `{"payload":{"items":[${lines.join(",")}]}}`,
  };
}

test.each(['{"a":-0}', '{"a":[{"b":-0}]}'])(
  "treats %s as the same line as with 0",
  async (data) => {
    const client = (await start()).client();
    await client.request("/api/rpc/addItemsToBasket", add([data, data.replace("-0", "0")]));
    const { body } = await client.request("/api/rpc/addItemsToBasket", add([data]));
    expect(body.basket.items).toMatchObject([{ quantity: 3 }]);
  },
);

test.each(['{"__proto__":{"a":1}}', '{"a":[{"__proto__":1,"b":2}]}'])(
  "rejects %s, because JSON would lose its fields",
  async (data) => {
    const client = (await start()).client();
    const answer = await client.request("/api/rpc/addItemsToBasket", add([data]));
    const path = ["items", 0, "customData"];
    const message = "Expected no key named __proto__";
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path, message }] } });
  },
);

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, onTestFinished, test } from "vitest";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { describeStorages } from "../../_setup.ts";
import { requestDocument } from "./_document.ts";

describeStorages("the OpenAPI document of a shop with a commerce system", ({ start }) => {
  test("describes the results of real calls", async () => {
    const system = await startCommerceSystem("joins");
    onTestFinished(() => system.close());
    const commerce = createTestBackend({ url: system.url, kind: "joins" });
    const { document } = await requestDocument({ commerce });
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema(document as object, "document");
    const { client } = await start({ commerce });
    const visitor = client();
    async function call(name: string, payload?: unknown) {
      const { status, body } = await visitor.call(name, payload);
      expect(status, `${name}: ${JSON.stringify(body)}`).toBe(200);
      const at = `document#/paths/~1rpc~1${name}/post/responses/200/content/application~1json/schema`;
      const validate = ajv.getSchema(at);
      expect(validate?.(body), `${name}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      return body;
    }

    await call("getBasket");
    await call("getWishlist");
    const { short } = await call("addItemToBasket", { variantId: "3", quantity: 9 });
    expect(short).toHaveLength(1);
    await call("addItemsToBasket", { items: [{ variantId: "7", quantity: 1 }] });
    await call("addCouponCode", { code: "SUMMER" });
    const { basket } = await call("removeCouponCode", { code: "SUMMER" });
    await call("updateBasketItem", { itemKey: basket.items[1].key, quantity: 2 });
    await call("removeItemFromBasket", { itemKey: basket.items[0].key });
    await call("clearBasket");
    const { wishlist } = await call("addItemToWishlist", { variantId: "7" });
    await call("removeItemFromWishlist", { itemKey: wishlist.items[0].key });
    await call("clearWishlist");
  });
});

test("the OpenAPI document marks the results of an adapter's methods as not described", async () => {
  const commerce = createTestBackend({ url: "http://localhost:1", kind: "carts" });
  const { document } = await requestDocument({ commerce });
  const { responses } = document.paths["/rpc/placeOrder"]?.["post"] ?? {};
  expect(responses).toMatchObject({
    200: { content: { "application/json": { schema: { "x-not-described": true } } } },
    204: {},
  });
});

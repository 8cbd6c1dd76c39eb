import { randomUUID } from "uncrypto";
import * as z from "zod";
import {
  addItems,
  clearItems,
  removeItem,
  updateItem,
  type Basket,
  type BasketView,
} from "../lists/basket.ts";
import { viewBasket } from "../lists/basket-view.ts";
import { callOf, type RpcContext } from "../context.ts";
import type { Json } from "../json-text.ts";
import { defineRpcMethod } from "../method.ts";
import { customData, itemKey, productReference, quantity } from "./fields.ts";
import type { BasketOptions } from "../shop.ts";

const line = z.strictObject({
  variantId: productReference,
  quantity,
  customData: customData.optional(),
});

/** The visitor's basket. */
export const getBasket = defineRpcMethod({
  readOnly: true,
  async handler(_, context) {
    const { key, value } = await callOf(context).session.lists.read("basket");
    return viewBasket(key, value);
  },
});

/** Adds pieces of a variant; the same variant with the same custom data is one line. */
export const addItemToBasket = defineRpcMethod({
  input: line,
  handler(item, context) {
    const added = [{ ...item, key: randomUUID() }];
    return changeBasket(context, (basket, options) =>
      addItems(basket, added, options, Date.now(), () => ["quantity"]),
    );
  },
});

/** Adds several lines, all or none. */
export const addItemsToBasket = defineRpcMethod({
  input: z.strictObject({ items: z.array(line).min(1).max(1000) }),
  handler({ items }, context) {
    const added = items.map((item) => ({ ...item, key: randomUUID() }));
    return changeBasket(context, (basket, options) =>
      addItems(basket, added, options, Date.now(), (index) => ["items", index, "quantity"]),
    );
  },
});

/** Sets the quantity or the custom data of a line. */
export const updateBasketItem = defineRpcMethod({
  input: z.strictObject({
    itemKey,
    quantity: quantity.optional(),
    customData: customData.optional(),
  }),
  handler({ itemKey: key, ...change }, context) {
    return changeBasket(context, (basket, options) => updateItem(basket, key, change, options));
  },
});

export const removeItemFromBasket = defineRpcMethod({
  input: z.strictObject({ itemKey }),
  handler({ itemKey: key }, context) {
    return changeBasket(context, (basket) => removeItem(basket, key));
  },
});

export const clearBasket = defineRpcMethod({
  handler(_, context) {
    return changeBasket(context, clearItems);
  },
});

// --- Internal helpers ---

async function changeBasket(
  context: RpcContext,
  rule: (basket: Basket, options: BasketOptions) => Basket,
): Promise<Json<{ basket: BasketView }>> {
  const { services, session } = callOf(context);
  const { key, value } = await session.lists.change("basket", (basket) =>
    rule(basket, services.basketOptions),
  );
  return viewBasket(key, value);
}

import { randomUUID } from "uncrypto";
import * as z from "zod";
import { addItems, clearItems, removeItem, updateItem } from "../lists/basket.ts";
import { defineRpcMethod } from "../method.ts";
import { customData, itemKey, productReference, quantity } from "./fields.ts";

const line = z.strictObject({
  variantId: productReference,
  quantity,
  customData: customData.optional(),
});

/** Returns the visitor's basket. */
export const getBasket = defineRpcMethod({
  readOnly: true,
  handler: (_, { readBasket }) => readBasket(),
});

/** Adds items of a variant. Items with the same variant and the same custom data share a line. */
export const addItemToBasket = defineRpcMethod({
  input: line,
  handler(item, { changeBasket }) {
    const added = [{ ...item, key: randomUUID() }];
    return changeBasket((basket, options) =>
      addItems(basket, added, options, Date.now(), () => ["quantity"]),
    );
  },
});

/** Adds several lines, all or none. */
export const addItemsToBasket = defineRpcMethod({
  input: z.strictObject({ items: z.array(line).min(1).max(1000) }),
  handler({ items }, { changeBasket }) {
    const added = items.map((item) => ({ ...item, key: randomUUID() }));
    return changeBasket((basket, options) =>
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
  handler({ itemKey: key, ...change }, { changeBasket }) {
    return changeBasket((basket, options) => updateItem(basket, key, change, options));
  },
});

export const removeItemFromBasket = defineRpcMethod({
  input: z.strictObject({ itemKey }),
  handler({ itemKey: key }, { changeBasket }) {
    return changeBasket((basket) => removeItem(basket, key));
  },
});

export const clearBasket = defineRpcMethod({
  handler: (_, { changeBasket }) => changeBasket(clearItems),
});

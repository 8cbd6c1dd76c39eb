import { randomUUID } from "uncrypto";
import * as z from "zod";
import { addItems, clearItems, removeItem, updateItem } from "../lists/basket.ts";
import { defineRpcMethod } from "../method.ts";
import { customData, itemKey, productReference, quantity, revision } from "./fields.ts";

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
  input: line.extend({ revision }),
  handler(item, { changeBasket }) {
    const added = [toLine(item)];
    return changeBasket(
      (basket, options) => addItems(basket, added, options, Date.now(), () => ["quantity"]),
      { revision: item.revision },
    );
  },
});

/** Adds several lines, all or none. */
export const addItemsToBasket = defineRpcMethod({
  input: z.strictObject({ items: z.array(line).min(1).max(1000), revision }),
  handler({ items, revision: seen }, { changeBasket }) {
    const added = items.map(toLine);
    return changeBasket(
      (basket, options) =>
        addItems(basket, added, options, Date.now(), (index) => ["items", index, "quantity"]),
      { revision: seen },
    );
  },
});

/** Sets the quantity or the custom data of a line. */
export const updateBasketItem = defineRpcMethod({
  input: z.strictObject({
    itemKey,
    quantity: quantity.optional(),
    customData: customData.optional(),
    revision,
  }),
  handler({ itemKey: key, revision: seen, ...change }, { changeBasket }) {
    return changeBasket((basket, options) => updateItem(basket, key, change, options), {
      revision: seen,
    });
  },
});

export const removeItemFromBasket = defineRpcMethod({
  input: z.strictObject({ itemKey, revision }),
  handler({ itemKey: key, revision: seen }, { changeBasket }) {
    return changeBasket((basket) => removeItem(basket, key), { revision: seen });
  },
});

export const clearBasket = defineRpcMethod({
  input: z.strictObject({ revision }).nullish(),
  handler: (input, { changeBasket }) => changeBasket(clearItems, { revision: input?.revision }),
});

// --- Internal helpers ---

/** A new line, without other fields of the payload. A spread would give each line a hidden class of its own. */
function toLine({ variantId, quantity: units, customData: data }: z.output<typeof line>) {
  const key = randomUUID();
  return data === undefined
    ? { variantId, quantity: units, key }
    : { variantId, quantity: units, customData: data, key };
}

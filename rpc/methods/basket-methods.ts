import type * as z from "zod/mini";
import { addItems, clearItems, removeItem, updateItem } from "../lists/basket.ts";
import { defineRpcMethod } from "../define-method.ts";
import { clearInput, itemKeyInput, lineChangeInput, lineInput, linesInput } from "./list-inputs.ts";

/*
 * Besides POST, changes accept the verbs that SCAYLE's frontends send for the methods of the same names.
 */

/** Returns the visitor's basket. */
export const getBasket = defineRpcMethod({
  readOnly: true,
  handler: (_, { readBasket }) => readBasket(),
});

/** Adds items of a variant. Items with the same variant and the same custom data share a line. */
export const addItemToBasket = defineRpcMethod({
  verb: "PUT",
  input: lineInput,
  handler(item, { changeBasket }) {
    return changeBasket(
      (basket, options, now, createKey) =>
        addItems(basket, [toLine(item, createKey())], options, now, () => ["quantity"]),
      { revision: item.revision },
    );
  },
});

/** Adds several lines, all or none. */
export const addItemsToBasket = defineRpcMethod({
  verb: "PUT",
  input: linesInput,
  handler({ items, revision: seen }, { changeBasket }) {
    return changeBasket(
      (basket, options, now, createKey) => {
        const added = items.map((item) => toLine(item, createKey()));
        return addItems(basket, added, options, now, (index) => ["items", index, "quantity"]);
      },
      { revision: seen },
    );
  },
});

/** Sets the quantity or the custom data of a line. */
export const updateBasketItem = defineRpcMethod({
  verb: "PUT",
  input: lineChangeInput,
  handler({ itemKey: key, revision: seen, ...change }, { changeBasket }) {
    return changeBasket((basket, options) => updateItem(basket, key, change, options), {
      revision: seen,
    });
  },
});

export const removeItemFromBasket = defineRpcMethod({
  verb: "DELETE",
  input: itemKeyInput,
  handler({ itemKey: key, revision: seen }, { changeBasket }) {
    return changeBasket((basket) => removeItem(basket, key), { revision: seen });
  },
});

export const clearBasket = defineRpcMethod({
  verb: "DELETE",
  input: clearInput,
  handler: (input, { changeBasket }) => changeBasket(clearItems, { revision: input?.revision }),
});

// --- Internal helpers ---

/** A new line, without other fields of the payload. A spread would give each line a hidden class of its own. */
function toLine(
  { variantId, quantity: units, customData: data }: z.output<typeof lineInput>,
  key: string,
) {
  return data === undefined
    ? { variantId, quantity: units, key }
    : { variantId, quantity: units, customData: data, key };
}

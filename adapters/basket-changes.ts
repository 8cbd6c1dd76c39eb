import type { BasketItem, BasketView } from "../server/index.ts";

/** The change that a method of the basket probably makes. The server's response replaces the result. */
export type BasketChange = (basket: BasketView) => BasketView;

/**
 * The change that a method of the basket makes; `undefined` for other methods.
 * @param payload that of the call; nothing has checked it
 */
export function toBasketChange(method: string, payload: unknown): BasketChange | undefined {
  if (!Object.hasOwn(changes, method)) return undefined;
  const change = changes[method as keyof typeof changes];
  const key = `optimistic-${++count}`;
  return (basket) => {
    try {
      const items = change(basket.items, payload as never, key);
      const itemCount = items.reduce((count, { quantity }) => count + quantity, 0);
      return { ...basket, items, itemCount };
    } catch {
      // A method of yours with the same name has another payload.
      return basket;
    }
  };
}

// --- Internal helpers ---

/** The number of changes so far. A new line keeps its key each time the change is applied. */
let count = 0;

type Items = readonly BasketItem[];

const changes = {
  addItemToBasket: add,
  addItemsToBasket: (items: Items, { items: lines }: { readonly items: Items }, key: string) =>
    lines.reduce((all, line, index) => add(all, line, `${key}-${index}`), items),
  updateBasketItem(items: Items, payload: { readonly itemKey: string } & Partial<BasketItem>) {
    const { itemKey, quantity, customData } = payload;
    return items.map((item) => {
      if (item.key !== itemKey) return item;
      const changed = { ...item, quantity: quantity ?? item.quantity };
      return customData === undefined ? changed : { ...changed, customData };
    });
  },
  removeItemFromBasket: (items: Items, { itemKey }: { readonly itemKey: string }) =>
    items.filter(({ key }) => key !== itemKey),
  clearBasket: (): Items => [],
};

function add(items: Items, { variantId, quantity, customData }: BasketItem, key: string): Items {
  if (typeof quantity !== "number") throw new TypeError("Not the payload of the built-in method");
  const twin = items.find(
    (item) =>
      item.variantId === variantId &&
      JSON.stringify(item.customData) === JSON.stringify(customData),
  );
  if (twin === undefined) {
    return [...items, { key, variantId, quantity, customData, addedAt: Date.now() }];
  }
  return items.map((item) =>
    item === twin ? { ...item, quantity: item.quantity + quantity } : item,
  );
}

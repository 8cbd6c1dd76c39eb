import { describe, expect, test } from "vitest";
import { addItems, emptyBasket, viewBasket, type Basket } from "../../../rpc/lists/basket.ts";

const options = { mergeStrategy: "merge", maxItems: 10, maxQuantity: 10 } as const;
const path = () => [];

/** A line as earlier versions stored it. */
const older: Basket = {
  items: [{ key: "k", variantId: 7, quantity: 1, customData: { b: [1], a: "ä" }, addedAt: 5 }],
  revision: 1,
};

describe("a basket of an earlier version, with custom data stored as an object", () => {
  test("returns the same basket to the client", () => {
    const basket = { key: "owner", items: older.items, itemCount: 1, revision: 1 };
    expect(viewBasket("owner", older)).toEqual({ basket });
  });

  test("joins equal lines, and stores custom data as text after the next change", () => {
    const line = { key: "l", variantId: 7, quantity: 2, customData: '{"a":"ä","b":[1]}' };
    const { items } = addItems(older, [line], options, 6, path);
    expect(items).toEqual([{ ...line, key: "k", quantity: 3, addedAt: 5 }]);
  });
});

describe("viewBasket", () => {
  test("returns lines with any custom data, and lines without custom data", () => {
    const lines = ['{"a":"\\"\\\\\\u2028</script>"}', "{}", undefined].map((customData, index) => ({
      key: `k${index}`,
      variantId: index === 0 ? 'a"b' : index,
      quantity: 1,
      customData,
    }));
    const basket = addItems(emptyBasket, lines, options, 5, path);
    expect(viewBasket(undefined, basket).basket).toEqual({
      key: null,
      items: lines.map(({ customData, ...line }) => ({
        ...line,
        ...(customData !== undefined && { customData: JSON.parse(customData) }),
        addedAt: 5,
      })),
      itemCount: 3,
      revision: 1,
    });
  });
});

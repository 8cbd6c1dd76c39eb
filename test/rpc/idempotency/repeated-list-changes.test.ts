import { expect, test } from "vitest";
import type { CookieClient } from "../../_cookie-client.ts";
import { describeStorages, type Setup } from "../../_setup.ts";
import { enterCounting, line, withKey } from "../../fixtures/counting-methods.ts";

describeStorages("a change of a list that is repeated with its Idempotency-Key", (setup: Setup) => {
  let runs: unknown[];

  function enter(): Promise<CookieClient> {
    runs = [];
    return enterCounting(setup, runs);
  }

  test("changes the basket once, and gets the basket as it is", async () => {
    const visitor = await enter();
    await visitor.call("addItemToBasket", line, withKey("one"));
    await visitor.call("addItemToBasket", { ...line, quantity: 2 }, withKey("two"));
    const again = await visitor.call("addItemToBasket", line, withKey("one"));
    expect(again).toMatchObject({ status: 200, body: { basket: { itemCount: 3, revision: 2 } } });
    const reused = { status: 422, body: { code: "idempotency_key_reused" } };
    for (const [method, payload] of [
      ["addItemToBasket", { ...line, quantity: 9 }],
      ["clearBasket", undefined],
      ["addItemToWishlist", { variantId: 7 }],
      ["count", line],
    ] as const) {
      expect(await visitor.call(method, payload, withKey("one")), method).toMatchObject(reused);
    }
    expect(await visitor.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 3 } } });
  });

  test("changes each list once with every method of lists", async () => {
    const visitor = await enter();
    const repeat = async (method: string, payload: unknown, key: string) => {
      const first = await visitor.call(method, payload, withKey(key));
      expect(first.status, method).toBe(200);
      const again = await visitor.call(method, payload, withKey(key));
      expect(again.body, method).toEqual(first.body);
      return first.body;
    };
    await repeat("addItemToBasket", line, "a");
    const { basket } = await repeat(
      "addItemsToBasket",
      { items: [{ ...line, variantId: 8 }, line] },
      "b",
    );
    const [{ key: itemKey }, { key: otherKey }] = basket.items;
    await repeat("updateBasketItem", { itemKey, quantity: 5 }, "c");
    await repeat("removeItemFromBasket", { itemKey: otherKey }, "d");
    await repeat("clearBasket", undefined, "e");
    const { wishlist } = await repeat("addItemToWishlist", { variantId: 7 }, "f");
    // The lists of a visitor have the same key.
    await repeat("addItemToBasket", line, "i");
    await repeat("removeItemFromWishlist", { itemKey: wishlist.items[0].key }, "g");
    await repeat("clearWishlist", undefined, "h");
  });

  test("doesn't undo a later change, even if the first run changed nothing", async () => {
    const visitor = await enter();
    await visitor.call("addItemToWishlist", { variantId: 7 });
    const { body } = await visitor.call("addItemToWishlist", { variantId: 7 }, withKey("one"));
    await visitor.call("removeItemFromWishlist", { itemKey: body.wishlist.items[0].key });
    const again = await visitor.call("addItemToWishlist", { variantId: 7 }, withKey("one"));
    expect(again).toMatchObject({ status: 200, body: { wishlist: { items: [] } } });
  });

  test("applies each of several changes of one call once", async () => {
    const visitor = await enter();
    for (let count = 0; count < 2; count++) {
      const answer = await visitor.call("addTwice", undefined, withKey("one"));
      expect(answer).toMatchObject({ status: 200, body: { basket: { itemCount: 2 } } });
    }
    await visitor.call("addItemToBasket", line);
    const later = await visitor.call("addTwice", undefined, withKey("one"));
    expect(later).toMatchObject({ status: 200, body: { basket: { itemCount: 3 } } });
    expect(runs).toEqual(["addTwice"]);
  });

  test("gets a method's own result about a basket", async () => {
    const visitor = await enter();
    for (let count = 0; count < 2; count++) {
      const answer = await visitor.call("addOwn", undefined, withKey("one"));
      expect(answer).toMatchObject({ status: 200, body: { run: 1, itemCount: 1 } });
    }
    expect(await visitor.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 1 } } });
  });

  test("gets the rejection of a basket's limit again", async () => {
    const visitor = await enter();
    const tooMany = { ...line, quantity: 1001 };
    const first = await visitor.call("addItemToBasket", tooMany, withKey("one"));
    expect(first).toMatchObject({ status: 422, body: { code: "limit_reached" } });
    const again = await visitor.call("addItemToBasket", tooMany, withKey("one"));
    expect(again).toMatchObject({ status: 422, body: first.body });
  });

  test("stays stored for 50 keys, in the session and in each list", async () => {
    const visitor = await enter();
    for (let key = 1; key <= 51; key++) {
      await visitor.call("count", key, withKey(`key-${key}`));
      await visitor.call("addItemToBasket", line, withKey(`basket-${key}`));
    }
    runs.length = 0;
    expect(await visitor.call("count", 2, withKey("key-2"))).toMatchObject({ body: { run: 2 } });
    expect(await visitor.call("count", 51, withKey("key-51"))).toMatchObject({ body: { run: 51 } });
    expect(await visitor.call("addItemToBasket", line, withKey("basket-2"))).toMatchObject({
      body: { basket: { itemCount: 51 } },
    });
    expect(runs).toEqual([]);
    await visitor.call("count", 1, withKey("key-1"));
    expect(runs).toEqual([1]);
    expect(await visitor.call("addItemToBasket", line, withKey("basket-1"))).toMatchObject({
      body: { basket: { itemCount: 52 } },
    });
  });
});

import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { resolve, secondShop, shop } from "../../fixtures/configs.ts";

describe("the storages of a config", () => {
  const one = { driver: "fs-lite", base: "./one" };
  const two = { driver: "fs-lite", base: "./two" };
  const three = { driver: "fs-lite", base: "./three" };

  test("default to one memory storage", () => {
    const { shops, storage } = resolve({ shops: [shop, secondShop] });
    const all = [...shops.flatMap((each) => Object.values(each.storage)), storage.account];
    expect(new Set(all).size).toBe(1);
  });

  test("share the objects of the config in every shop", () => {
    const { shops, storage } = resolve({
      storage: { session: one },
      shops: [shop, secondShop],
    });
    const all = [...shops.flatMap((each) => Object.values(each.storage)), storage.account];
    for (const each of all) expect(each).toBe(one);
  });

  test("fall back from accounts to baskets to sessions", () => {
    const { shops, storage } = resolve({ storage: { session: one, basket: two } });
    expect(shops[0]?.storage.session).toBe(one);
    expect(shops[0]?.storage.basket).toBe(two);
    expect(storage.account).toBe(two);
    expect(resolve({ storage: { account: three } }).storage.account).toBe(three);
  });

  test("use a shop's session storage for its baskets by default", () => {
    const { shops, storage } = resolve({
      storage: { session: one },
      shops: [
        { ...shop, storage: { session: two } },
        { ...secondShop, storage: { session: two, basket: three } },
        { ...secondShop, shopId: 1003, storage: { basket: three } },
      ],
    });
    expect(shops[0]?.storage.session).toBe(two);
    expect(shops[0]?.storage.basket).toBe(two);
    expect(shops[1]?.storage.basket).toBe(three);
    expect(shops[2]?.storage.session).toBe(one);
    expect(shops[2]?.storage.basket).toBe(three);
    expect(storage.account).toBe(one);
  });

  test("can be driver objects", () => {
    const driver = createMemoryDriver();
    expect(resolve({ storage: { session: driver } }).shops[0]?.storage.basket).toBe(driver);
  });
});

import { randomUUID } from "node:crypto";
import { createStorage, type Driver } from "unstorage";
import { describe, expect, test } from "vitest";
import { openDriver } from "../../storage/open-driver.ts";
import { createDirectory, readRaw } from "../_documents.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { createSetup } from "../_setup.ts";
import { CookieClient } from "../_cookie-client.ts";

describe("memory", () => {
  testCalls(async () => openDriver({ driver: "memory" }));
});

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  testCalls(async () => openDriver({ driver, base: await createDirectory() }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testCalls(async () => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

/** The response that a visitor gets for each kind of document. */
function testCalls(createDriver: () => Promise<Driver>): void {
  let driver: Driver;
  const { start, allowErrors } = createSetup("memory", "request", () => driver);
  const ada = { email: "ada@example.com", password: "correct horse battery" };

  /** The one key below a prefix. */
  async function findKey(prefix: string): Promise<string> {
    const keys = (await createStorage({ driver }).getKeys()).filter((key) =>
      key.startsWith(prefix),
    );
    expect(keys).toHaveLength(1);
    return keys[0] as string;
  }

  async function spoil(prefix: string, text = '{"version":"1","va'): Promise<void> {
    await createStorage({ driver }).setItemRaw(await findKey(prefix), text);
  }

  async function begin() {
    driver = await createDriver();
    const { client, send, lines } = await start({ session: { cache: false } });
    const user = client();
    expect((await user.call("register", ada)).status).toBe(200);
    await user.call("addItemToBasket", { variantId: 1, quantity: 1 });
    await user.call("addItemToWishlist", { variantId: 1 });
    return { user, lines, other: () => new CookieClient(send) };
  }

  test("treats an unreadable session as missing", async () => {
    const { user, lines } = await begin();
    await spoil("session:1001:");
    const { status, body } = await user.call("getUser");
    expect([status, body]).toEqual([200, {}]);
    expect(lines.at(-1)).toMatchObject({ level: "warn", details: { collection: "session:1001" } });
  });

  test("begins a new basket and wishlist if they are unreadable, and keeps the old ones", async () => {
    const { user, lines } = await begin();
    await spoil("basket:");
    await spoil("wishlist:");
    expect((await user.call("getBasket")).body.basket.items).toEqual([]);
    expect((await user.call("getWishlist")).body.wishlist.items).toEqual([]);
    const added = await user.call("addItemToBasket", { variantId: 2, quantity: 1 });
    expect(added.body.basket.items).toMatchObject([{ variantId: 2 }]);
    const keys = (await driver.getKeys("", {})).filter((key) => key.includes("unreadable"));
    expect(keys.map((key) => key.replace(/.*?(basket|wishlist).*/, "$1")).toSorted()).toEqual([
      "basket",
      "wishlist",
    ]);
    expect(lines.map(({ level }) => level)).toEqual(["warn", "warn"]);
  });

  const item = { key: "a", variantId: 1, quantity: 1, addedAt: 1 };
  test.each<[string, object]>([
    ["a line that is none", { items: [null], revision: 1 }],
    ["a line without a quantity", { items: [{ ...item, quantity: undefined }], revision: 1 }],
    ["a line of nothing", { items: [{ ...item, variantId: {} }], revision: 1 }],
    ["a line without a date", { items: [{ ...item, addedAt: undefined }], revision: 1 }],
    ["custom data that is none", { items: [{ ...item, customData: "x" }], revision: 1 }],
    ["merges that are none", { items: [item], revision: 1, merged: { a: "x" } }],
    ["another owner that is none", { items: [item], revision: 1, movedTo: 7 }],
  ])("takes a basket and a wishlist for unreadable that are nearly right: %s", async (_, value) => {
    const { user } = await begin();
    const text = JSON.stringify({ version: "1", value });
    await spoil("basket:", text);
    await spoil("wishlist:", text);
    const basket = await user.call("getBasket");
    const wishlist = await user.call("getWishlist");
    expect([basket.status, wishlist.status]).toEqual([200, 200]);
    expect(basket.body.basket.items).toEqual([]);
    expect(wishlist.body.wishlist.items).not.toContain(null);
    const added = await user.call("addItemToBasket", { variantId: 2, quantity: 1 });
    expect(added.status).toBe(200);
  });

  test("begins a new index of a user's sessions if it is unreadable, so that a login works", async () => {
    const { user, other } = await begin();
    await spoil("user:");
    expect((await other().call("login", ada)).status).toBe(200);
    const keys = await createStorage({ driver }).getKeys("user:");
    expect(keys.filter((key) => key.includes("unreadable"))).toHaveLength(1);
    expect((await user.call("getUser")).body.user).toMatchObject({ email: ada.email });
  });

  test("ends all sessions of a shop if its generation is unreadable, and a login works", async () => {
    const { user } = await begin();
    await spoil("session-generations:");
    // A later server: this one remembers the generation, unless the storage pushes changes.
    const later = await start({ session: { cache: false } });
    const [old, again] = [later.client(), later.client()];
    for (const [name, value] of user.cookies) old.cookies.set(name, value);
    const { status, body } = await old.call("getUser");
    expect([status, body]).toEqual([200, {}]);
    expect((await again.call("login", ada)).status).toBe(200);
    expect((await again.call("getUser")).body.user).toMatchObject({ email: ada.email });
  });

  test("responds 503 for an unreadable account, and rejects another registration of it", async () => {
    const { other } = await begin();
    allowErrors();
    await spoil("account:");
    expect((await other().call("login", ada)).status).toBe(503);
    expect((await other().call("register", ada)).status).toBe(503);
    expect(await readRaw(driver, await findKey("account:"))).toContain('"va');
  });
}

import { describe, expect, test } from "vitest";
import { createSetup, describeStorages, type TestStorefront } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";

type Ids = readonly number[];

const auth = trustingAuth;

async function fill(client: CookieClient, ids: Ids, quantity = 1): Promise<void> {
  for (const variantId of ids) {
    await client.call("addItemToBasket", { variantId, quantity });
    await client.call("addItemToWishlist", { variantId });
  }
}

function toIds(items: readonly { variantId: number }[]): Ids {
  return items.map(({ variantId }) => variantId);
}

async function idsOf(client: CookieClient): Promise<{ basket: Ids; wishlist: Ids }> {
  const { basket } = (await client.call("getBasket")).body;
  const { wishlist } = (await client.call("getWishlist")).body;
  return { basket: toIds(basket.items), wishlist: toIds(wishlist.items) };
}

/** Adds variants to a user's lists and to a guest's, and logs the guest in as the user. */
async function merge({ client }: TestStorefront, user: Ids, guest: Ids) {
  const first = client();
  await first.call("login", as(7));
  await fill(first, user);
  const second = client();
  await fill(second, guest);
  const { body } = await second.call("login", as(7));
  return { client: second, lines: body.merge.lines as readonly Record<string, unknown>[] };
}

describeStorages("a merge at login", ({ start }) => {
  test("keeps lists within twice maxItems, however many guests log in", async () => {
    const shop = await start({ basket: { maxItems: 2 }, wishlist: { maxItems: 2 }, auth });
    const reported = new Set<unknown>();
    for (const first of [10, 20, 30, 40]) {
      const guest = shop.client();
      await fill(guest, [first, first + 1]);
      const { merge: report } = (await guest.call("login", as(7))).body;
      for (const line of report.lines) {
        if (line.outcome !== "left_out") continue;
        reported.add(line.list === "wishlist" ? `wish ${line.variantId}` : line.variantId);
        if (line.list === undefined) expect(line.quantity).toBe(1);
      }
      await guest.call("logout");
    }
    const user = shop.client();
    await user.call("login", as(7));
    const kept = [10, 11, 20, 21];
    expect(await idsOf(user)).toEqual({ basket: kept, wishlist: kept });
    const leftOut = [30, 31, 40, 41].flatMap((id) => [id, `wish ${id}`]);
    expect(reported).toEqual(new Set(leftOut));
  });

  test("sums equal lines of a full list, and leaves out none of the user's", async () => {
    const shop = await start({ basket: { maxItems: 2 }, wishlist: { maxItems: 2 }, auth });
    await merge(shop, [1, 2], [3, 4]);
    const { client, lines } = await merge(shop, [], [1, 5]);
    // The two lists are merged in parallel, so the order of the lines is open.
    expect(new Set(lines)).toEqual(
      new Set([
        { variantId: 1, outcome: "summed" },
        { variantId: 5, quantity: 1, outcome: "left_out" },
        { list: "wishlist", variantId: 5, outcome: "left_out" },
      ]),
    );
    expect(await idsOf(client)).toEqual({ basket: [1, 2, 3, 4], wishlist: [1, 2, 3, 4] });
  });

  test("leaves a list above maxItems that accepts changes and removals, but no new line", async () => {
    const shop = await start({ basket: { maxItems: 2 }, wishlist: { maxItems: 2 }, auth });
    const { client } = await merge(shop, [1, 2], [3, 4]);
    const { items } = (await client.call("getBasket")).body.basket;
    const full = { status: 422, body: { code: "limit_reached" } };
    expect(await client.call("addItemToBasket", { variantId: 9, quantity: 1 })).toMatchObject(full);
    expect(await client.call("addItemToWishlist", { variantId: 9 })).toMatchObject(full);
    const changes = [
      ["addItemToBasket", { variantId: 1, quantity: 1 }],
      ["updateBasketItem", { itemKey: items[1].key, quantity: 3 }],
      ["removeItemFromBasket", { itemKey: items[3].key }],
    ] as const;
    for (const [method, payload] of changes) {
      expect((await client.call(method, payload)).status).toBe(200);
    }
    expect((await client.call("clearBasket")).body.basket.items).toEqual([]);
    expect((await client.call("clearWishlist")).body.wishlist.items).toEqual([]);
  });
});

describe("a merge", () => {
  const { start, startControlled } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  test.each([
    ["useGuest", [1, 2], [2, 3], [2, 3], [1, 2]],
    ["useExisting", [1, 2], [2, 3], [1, 2], [2, 3]],
    ["useGuestIfExistingEmpty", [1, 2], [2, 3], [1, 2], [2, 3]],
    ["useGuestIfExistingEmpty", [], [2, 3], [2, 3], []],
  ] as const)(
    "reports the lines that %s leaves out of %j and %j",
    async (mergeStrategy, user, guest, kept, leftOut) => {
      const shop = await start({ basket: { mergeStrategy }, auth });
      const { client, lines } = await merge(shop, user, guest);
      expect((await idsOf(client)).basket).toEqual(kept);
      const dropped = lines.filter(({ outcome }) => outcome === "left_out");
      expect(dropped).toEqual(
        leftOut.map((variantId) => ({ variantId, quantity: 1, outcome: "left_out" })),
      );
    },
  );

  test("logs the count of omitted lines if a later call completes the merge", async () => {
    const { client, lines, storage } = await startControlled({
      auth,
      basket: { mergeStrategy: "useExisting" },
    });
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 1, quantity: 1 });
    storage.fail("any", { key: "basket:" });
    expect((await guest.call("login", as(7))).body.merge.status).toBe("pending");
    storage.heal();
    await guest.call("getBasket");
    const details = expect.objectContaining({ list: "basket", count: 1 });
    expect(lines).toContainEqual({ level: "warn", message: "A merge left out lines", details });
  });

  test("lets other calls run between the merges if many are pending", async () => {
    const { client, storage } = await startControlled({ auth });
    let user = client();
    await user.call("login", as(7));
    await user.call("getBasket");
    const ofUser = storage.operations.findLast(({ key }) => key.startsWith("basket:"));
    storage.fail("any", { key: ofUser?.key });
    for (let index = 0; index < 12; index++) {
      user = client();
      await user.call("addItemToBasket", { variantId: index + 1, quantity: 1 });
      expect((await user.call("login", as(7))).body.merge.status).toBe("pending");
    }
    storage.heal();
    let turns = 0;
    const count = () => void (turns++, (timer = setImmediate(count)));
    let timer = setImmediate(count);
    expect((await user.call("getBasket")).body.basket.items).toHaveLength(12);
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});

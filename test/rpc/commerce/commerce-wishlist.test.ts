import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { describeStorages, type Setup } from "../../_setup.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";

async function open(setup: Setup) {
  const system = await startCommerceSystem("carts");
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind: "carts" });
  return { ...(await setup.start({ commerce })), system };
}

const wish = (variantId: string) => ({ key: `wish-${variantId}`, variantId, isNew: true });

describeStorages("a wishlist in a commerce system", (setup) => {
  test("works with the built-in methods, for reads and changes", async () => {
    const { client } = await open(setup);
    const guest = client();
    expect((await guest.call("getWishlist")).body).toEqual({ wishlist: { items: [] } });
    expect(guest.cookies.size).toBe(0);
    const added = await guest.call("addItemToWishlist", { variantId: 7 });
    expect(added.body).toEqual({ wishlist: { items: [wish("7")] } });
    await guest.call("addItemToWishlist", { variantId: "7" });
    await guest.call("addItemToWishlist", { variantId: 8 });
    const removed = await guest.call("removeItemFromWishlist", { itemKey: "wish-7" });
    expect(removed.body.wishlist.items).toEqual([wish("8")]);
    const again = await guest.call("removeItemFromWishlist", { itemKey: "wish-7" });
    expect(again.body.code).toBe("unknown_item");
    expect((await guest.call("clearWishlist")).body.wishlist.items).toEqual([]);
  });

  test("keeps all of ten wishes at the same time", async () => {
    const { client } = await open(setup);
    const guest = client();
    await guest.call("addItemToWishlist", { variantId: 1 });
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        guest.call("addItemToWishlist", { variantId: index + 10 }),
      ),
    );
    expect((await guest.call("getWishlist")).body.wishlist.items).toHaveLength(11);
  });

  test.each(["lose", "refuse"] as const)(
    "comes along at a login, also if a request fails: %s",
    async (fault) => {
      const { client, system } = await open(setup);
      const credentials = { email: `${randomUUID()}@example.com`, password: "correct horse x" };
      const device = client();
      await device.call("register", credentials);
      await device.call("addItemToWishlist", { variantId: 7 });
      const guest = client();
      await guest.call("addItemToWishlist", { variantId: 7 });
      await guest.call("addItemToWishlist", { variantId: 8 });
      let isDue = true;
      system.fault = (request) => {
        if (!isDue || !request.includes(" /wishes/")) return undefined;
        isDue = false;
        return fault;
      };
      const { body } = await guest.call("login", credentials);
      expect(body.merge.status).toBe("pending");
      expect((await guest.call("getWishlist")).body.wishlist.items).toEqual([wish("7"), wish("8")]);
      expect((await device.call("getWishlist")).body.wishlist.items).toHaveLength(2);
    },
  );
});

import { expect, onTestFinished, test } from "vitest";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { describeStorages, type Setup } from "../../_setup.ts";

const methods = {
  buy: defineCommerceMethod({
    async handler(_, _visit, { callRpc }) {
      await callRpc("addItemToBasket", { variantId: 7, quantity: 1 });
      await Promise.all([
        callRpc("addCouponCode", { code: "TEN" }),
        callRpc("addItemToBasket", { variantId: 7, quantity: 1 }),
        callRpc("addCouponCode", { code: "TWENTY" }),
      ]);
      await callRpc("addItemToBasket", { variantId: 7, quantity: 1 });
      return callRpc("placeOrder");
    },
  }),
  failToBuy: defineCommerceMethod({
    async handler(_, _visit, { callRpc }) {
      await callRpc("addCouponCode", { code: "WRONG" }).catch(() => undefined);
      await callRpc("addItemToBasket", { variantId: 7, quantity: 1 });
      return callRpc("addCouponCode", { code: "WRONG" });
    },
  }),
  signUp: defineCommerceMethod({
    handler: (_, _visit, { callRpc }) =>
      callRpc("register", { email: "ada@shop.example", password: "a long password" }),
  }),
  logOutAndAdd: defineCommerceMethod({
    async handler(_, _visit, { destroySession, callRpc }) {
      await destroySession();
      return callRpc("addItemToBasket", { variantId: 7, quantity: 1 });
    },
  }),
};

async function open(setup: Setup, kind: "joins" | "carts" = "carts") {
  const system = await startCommerceSystem(kind);
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind });
  const { client } = await setup.start({ commerce, methods, callTimeout: 5 });
  const guest = client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
  return guest;
}

describeStorages("a method of a commerce system that changes something", (setup) => {
  test("calls others that do so, too", async () => {
    const guest = await open(setup);
    const { body } = await guest.call("buy");
    expect(body.order).toMatchObject({ items: [{ variantId: "7", quantity: 4 }] });
    expect(body.order.coupons.toSorted()).toEqual(["TEN", "TWENTY"]);
  });

  test("leaves the basket free for the next call if one of these fails", async () => {
    const guest = await open(setup);
    expect((await guest.call("failToBuy")).body.code).toBe("unknown_coupon");
    const { body } = await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    expect(body.basket.items).toMatchObject([{ variantId: "7", quantity: 3 }]);
  });

  for (const kind of ["joins", "carts"] as const) {
    test(`can log in, and the next call has the guest's lines (system ${kind})`, async () => {
      const guest = await open(setup, kind);
      const { status, body } = await guest.call("signUp");
      expect(status).toBe(200);
      expect(body.user.email).toBe("ada@shop.example");
      const next = await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
      expect(next.body.basket.items).toMatchObject([{ variantId: "7", quantity: 2 }]);
    });
  }

  test("doesn't change the basket after a logout, because it has another one by then", async () => {
    setup.allowErrors();
    const guest = await open(setup);
    expect((await guest.call("logOutAndAdd")).body.code).toBe("internal_error");
    const { body } = await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
    expect(body.basket.items).toMatchObject([{ variantId: "8", quantity: 1 }]);
  });
});

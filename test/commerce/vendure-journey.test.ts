import { describe, expect, test } from "vitest";
import type { VendureBasket } from "../../adapters/vendure.ts";
import { variants, ada } from "./_vendure.ts";
import { expectOk, useVendureShop } from "./_vendure-shop.ts";

const getShop = useVendureShop();

describe("a guest", () => {
  test("orders with a coupon, an address, shipping, and a payment", async () => {
    const guest = getShop().guest();
    const empty = expectOk(await guest.call("getBasket"));
    expect(empty.body.basket).toMatchObject({ items: [], currencyCode: "EUR" });
    expect(empty.setCookies).toEqual([]);

    expectOk(await guest.call("addItemToBasket", { variantId: variants.kettle, quantity: 1 }));
    const mugs = { variantId: variants.creamMug, quantity: 2 };
    const { basket } = expectOk(await guest.call("addItemToBasket", mugs)).body;
    expect(basket).toMatchObject({
      totalQuantity: 3,
      totalWithTax: 5900 + 2 * 1490,
    });
    const [kettle, mug] = [variants.kettle, variants.creamMug].map((id) => findItem(basket, id));
    expect(kettle).toMatchObject({ productVariant: { product: { slug: "pour-over-kettle" } } });
    expect(mug).toMatchObject({ quantity: 2, unitPriceWithTax: 1490 });
    const itemKey = mug?.key;
    expectOk(await guest.call("updateBasketItem", { itemKey, quantity: 1 }));
    expect(await guest.call("addCouponCode", { code: "NOPE" })).toMatchObject({
      status: 422,
      body: { code: "coupon_code_invalid" },
    });
    const reduced = expectOk(await guest.call("addCouponCode", { code: "TEN" })).body.basket;
    expect(reduced).toMatchObject({ couponCodes: ["TEN"], totalWithTax: 6651 });

    expect(await guest.call("pay", { method: "card" })).toMatchObject({
      status: 409,
      body: { code: "order_state_transition", detail: expect.stringContaining("Customer") },
    });
    const customer = { email: "eve@example.com", firstName: "Eve", lastName: "Lund" };
    expectOk(await guest.call("setCustomer", customer));
    expectOk(await guest.call("setShippingAddress", address));
    const ways = expectOk(await guest.call("getShippingMethods")).body;
    expect(ways).toMatchObject([
      { name: "Standard", priceWithTax: 490 },
      { name: "Express", priceWithTax: 1290 },
    ]);
    const shipped = expectOk(await guest.call("setShippingMethod", { id: ways[0].id })).body.basket;
    expect(shipped).toMatchObject({ shippingWithTax: 490, totalWithTax: 6651 + 490 });
    expect(expectOk(await guest.call("getPaymentMethods")).body).toMatchObject([
      { code: "card", isEligible: true },
    ]);
    const declined = { method: "card", metadata: { shouldDecline: true } };
    expect(await guest.call("pay", declined)).toMatchObject({
      status: 402,
      body: { code: "payment_declined" },
    });
    expect(await guest.call("addItemToBasket", mugs)).toMatchObject({
      status: 409,
      body: { code: "order_modification" },
    });
    expectOk(await guest.call("cancelPayment"));
    const { order } = expectOk(await guest.call("pay", { method: "card" })).body;
    expect(order).toMatchObject({
      code: shipped.code,
      state: "PaymentSettled",
      shippingAddress: { city: "Berlin" },
    });
    expect(expectOk(await guest.call("getBasket")).body.basket.items).toEqual([]);
    expect(expectOk(await guest.call("getOrder", { code: order.code })).body.order).toEqual(order);
    const unknown = await guest.call("getOrder", { code: "ABCDEFGHJKLMNPQR" });
    expect(unknown).toMatchObject({ status: 404, body: { code: "unknown_item" } });
  });

  test("gets the items in stock, and a report of the missing ones", async () => {
    const guest = getShop().guest();
    const few = { variantId: variants.rustMug, quantity: 5 };
    const items = [few, { variantId: variants.kettle, quantity: 1 }, { ...few, variantId: "999" }];
    const { basket, short } = expectOk(await guest.call("addItemsToBasket", { items })).body;
    expect(findItem(basket, variants.rustMug)?.quantity).toBe(2);
    expect(findItem(basket, variants.kettle)?.quantity).toBe(1);
    expect(short).toEqual([
      { variantId: variants.rustMug, reason: "out_of_stock", quantity: 2 },
      { variantId: "999", reason: "unavailable", quantity: 0 },
    ]);
    for (const variantId of [variants.rustMug, variants.plant]) {
      const answer = await guest.call("addItemToBasket", { variantId, quantity: 1 });
      expect(answer).toMatchObject({ status: 409, body: { code: "out_of_stock" } });
    }
  });

  test("removes lines one by one and all together", async () => {
    const guest = getShop().guest();
    const items = [variants.creamMug, variants.kettle].map((variantId) => ({
      variantId,
      quantity: 1,
    }));
    const { basket } = expectOk(await guest.call("addItemsToBasket", { items })).body;
    const itemKey = findItem(basket, variants.creamMug)?.key;
    const left = expectOk(await guest.call("removeItemFromBasket", { itemKey })).body.basket;
    expect(left.items).toMatchObject([{ variantId: variants.kettle }]);
    expect(expectOk(await guest.call("clearBasket")).body.basket.items).toEqual([]);
  });
});

describe("a customer", () => {
  test("logs in with the guest's basket, orders, and sees the order on another device", async () => {
    const client = getShop().guest();
    expectOk(await client.call("addItemToBasket", { variantId: variants.kettle, quantity: 2 }));
    expectOk(await client.call("addItemToWishlist", { variantId: variants.creamMug }));
    expect(await client.call("login", { ...ada, password: "wrong" })).toMatchObject({
      status: 401,
      body: { code: "invalid_credentials" },
    });
    const { user } = expectOk(await client.call("login", ada)).body;
    expect(user).toMatchObject({ email: ada.email, firstName: "Ada" });
    expect(expectOk(await client.call("getUser")).body).toEqual({ user });
    const { basket } = expectOk(await client.call("getBasket")).body;
    expect(basket.items).toMatchObject([{ variantId: variants.kettle, quantity: 2 }]);
    expect(expectOk(await client.call("getWishlist")).body.wishlist.items).toHaveLength(1);

    expectOk(await client.call("setShippingAddress", address));
    expectOk(await client.call("setBillingAddress", { ...address, city: "Bonn" }));
    const [{ id }] = expectOk(await client.call("getShippingMethods")).body;
    expectOk(await client.call("setShippingMethod", { id }));
    expectOk(await client.call("startPayment"));
    const payment = { method: "card", orderCode: basket.code };
    const { order } = expectOk(await client.call("pay", payment)).body;
    expect(expectOk(await client.call("pay", payment)).body.order).toEqual(order);

    const phone = await getShop().login();
    expect(expectOk(await phone.call("getOrders")).body).toMatchObject([{ code: order.code }]);
    expect(expectOk(await phone.call("getOrders", { skip: 1, take: 5 })).body).toEqual([]);
    const { body } = await phone.call("pay", { method: "card", orderCode: "another" });
    expect(body).toMatchObject({ code: "basket_changed", data: { basket: { items: [] } } });
  });

  test("changes the name and the password, which ends the other sessions", async () => {
    const [client, phone] = [await getShop().login(), await getShop().login()];
    const renamed = expectOk(await client.call("updateUser", { lastName: "Byron" })).body;
    expect(renamed.user).toMatchObject({ firstName: "Ada", lastName: "Byron" });
    const next = { oldPassword: ada.password, newPassword: "battery staple 9" };
    const wrong = await client.call("updatePassword", { ...next, oldPassword: "nonsense 9" });
    expect(wrong).toMatchObject({ status: 403, body: { code: "wrong_password" } });
    expectOk(await client.call("updatePassword", next));
    expect(expectOk(await phone.call("getUser")).body).toEqual({});
    expectOk(await client.call("getOrders"));
    const back = { oldPassword: next.newPassword, newPassword: next.oldPassword };
    expectOk(await client.call("updatePassword", back));
    expectOk(await client.call("logout"));
    expect(expectOk(await client.call("getUser")).body).toEqual({});
    expect((await client.call("getOrders")).body.code).toBe("not_logged_in");
  });

  test("registers with the guest's basket, and only once for an address", async () => {
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", { variantId: variants.kettle, quantity: 1 }));
    const account = { email: "grace@example.com", password: "correct horse 2", firstName: "Grace" };
    expect(expectOk(await guest.call("register", account)).body.user).toMatchObject({
      email: account.email,
      firstName: "Grace",
    });
    expect(expectOk(await guest.call("getBasket")).body.basket.items).toHaveLength(1);
    const other = { ...account, password: "another horse 2" };
    expect(await getShop().guest().call("register", other)).toMatchObject({
      status: 409,
      body: { code: "email_taken" },
    });
  });
});

test("each shop has its own channel and currency", async () => {
  const guest = getShop().guest(1002);
  const { basket } = expectOk(
    await guest.call("addItemToBasket", { variantId: variants.kettle, quantity: 1 }),
  ).body;
  expect(basket).toMatchObject({ currencyCode: "USD", totalWithTax: 6490 });
  expect(expectOk(await getShop().guest().call("getBasket")).body.basket.items).toEqual([]);
});

// --- Internal helpers ---

/** Vendure orders lines by the second in which they were added. */
function findItem(basket: Pick<VendureBasket, "items">, variantId: string) {
  return basket.items.find((item) => item.variantId === variantId);
}

const address = {
  fullName: "Ada Lovelace",
  streetLine1: "Weg 1",
  postalCode: "10115",
  city: "Berlin",
  countryCode: "DE",
};

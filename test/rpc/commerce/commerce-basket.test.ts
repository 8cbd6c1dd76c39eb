import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import type { Visit } from "../../../rpc/commerce/visit.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { describeStorages, type Setup } from "../../_setup.ts";
import { createTestBackend, type TestGrant } from "../../_commerce-backend.ts";
import { startCommerceSystem, type Fault } from "../../_commerce-system.ts";

const line = (variantId: string, quantity: number) =>
  expect.objectContaining({ variantId, quantity });

/** Starts a commerce system, and a storefront before it. */
async function open(setup: Setup, kind: "joins" | "carts" = "carts", methods = {}) {
  const system = await startCommerceSystem(kind);
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind });
  const storefront = await setup.start({ commerce, methods });
  return { ...storefront, system };
}

/** Lets the next request of this name fail. */
function failOnce(
  system: Awaited<ReturnType<typeof startCommerceSystem>>,
  name: string,
  fault: Fault,
) {
  let isDue = true;
  system.fault = (request) => {
    if (!isDue || request !== name) return undefined;
    isDue = false;
    return fault;
  };
}

describeStorages("a basket in a commerce system", (setup) => {
  test("works with the built-in methods, for reads and changes", async () => {
    const { client } = await open(setup);
    const guest = client();
    expect((await guest.call("getBasket")).body).toEqual({
      basket: { items: [], total: 0, coupons: [], revision: expect.any(Number) },
    });
    expect(guest.cookies.size).toBe(0);
    const added = await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    expect(added.status).toBe(200);
    expect(added.body.basket).toMatchObject({ items: [line("7", 2)], total: 1400 });
    await guest.call("addItemToBasket", { variantId: "7", quantity: 1 });
    const items = [
      { variantId: 8, quantity: 1 },
      { variantId: 7, quantity: 1 },
      { variantId: 8, quantity: 1 },
    ];
    expect((await guest.call("addItemsToBasket", { items })).body.basket.items).toEqual([
      line("7", 4),
      line("8", 2),
    ]);
    const changed = await guest.call("updateBasketItem", { itemKey: "line-7", quantity: 1 });
    expect(changed.body.basket.items).toEqual([line("7", 1), line("8", 2)]);
    const removed = await guest.call("removeItemFromBasket", { itemKey: "line-8" });
    expect(removed.body.basket.items).toEqual([line("7", 1)]);
    expect((await guest.call("getBasket")).body.basket.items).toEqual([line("7", 1)]);
    expect((await guest.call("clearBasket")).body.basket.items).toEqual([]);
    expect((await guest.call("removeItemFromBasket", { itemKey: "line-8" })).body.code).toBe(
      "unknown_item",
    );
  });

  test("keeps all of ten adds at the same time", async () => {
    const { client, system } = await open(setup);
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const adds = Array.from({ length: 10 }, () =>
      guest.call("addItemToBasket", { variantId: 7, quantity: 1 }),
    );
    expect((await Promise.all(adds)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await guest.call("getBasket")).body.basket.items).toEqual([line("7", 11)]);
    expect(system.begun()).toBe(1);
  });

  test("adds once if the response was lost and the call is repeated", async () => {
    const { client, system } = await open(setup);
    const guest = client();
    for (const [index, name] of ["POST /cart/lines/7", "PUT /cart/lines/7"].entries()) {
      if (index === 0) await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
      failOnce(system, name, "lose");
      const headers = { "idempotency-key": randomUUID() };
      const add = () => guest.call("addItemToBasket", { variantId: 7, quantity: 2 }, headers);
      expect((await add()).body.code).toBe("commerce_unavailable");
      expect((await add()).body.basket.items).toContainEqual(line("7", 2 * (index + 1)));
      expect((await add()).body.basket.items).toContainEqual(line("7", 2 * (index + 1)));
    }
  });

  test("finishes a change without a response before the next one", async () => {
    const { client, system } = await open(setup);
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
    for (const fault of ["lose", "refuse"] as const) {
      failOnce(system, "PUT /cart/lines/8", fault);
      const headers = { "idempotency-key": randomUUID() };
      const add = () => guest.call("addItemToBasket", { variantId: 8, quantity: 1 }, headers);
      expect((await add()).status).toBe(503);
      await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
      expect((await add()).status).toBe(200);
    }
    expect((await guest.call("getBasket")).body.basket.items).toEqual([line("8", 5)]);
  });

  test("finishes a change without a response before a checkout", async () => {
    const { client, system } = await open(setup);
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
    failOnce(system, "PUT /cart/lines/8", "lose");
    await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
    const { order } = (await guest.call("placeOrder")).body;
    expect(order.items).toEqual([line("8", 2)]);
    const { basket } = (await guest.call("addItemToBasket", { variantId: 7, quantity: 1 })).body;
    expect(basket.items).toEqual([line("7", 1)]);
  });

  test("reports the lines that are out of stock", async () => {
    const { client } = await open(setup);
    const guest = client();
    const added = await guest.call("addItemToBasket", { variantId: 3, quantity: 8 });
    expect(added.status).toBe(200);
    expect(added.body.basket.items).toEqual([line("3", 5)]);
    expect(added.body.short).toEqual([{ variantId: 3, reason: "out_of_stock", quantity: 5 }]);
    const none = await guest.call("addItemToBasket", { variantId: 3, quantity: 1 });
    expect(none).toMatchObject({ status: 409, body: { code: "out_of_stock" } });
    expect(none.body.data.basket.items).toEqual([line("3", 5)]);
    const items = [
      { variantId: 3, quantity: 1 },
      { variantId: 7, quantity: 1 },
    ];
    const some = await guest.call("addItemsToBasket", { items });
    expect(some.status).toBe(200);
    expect(some.body.basket.items).toEqual([line("3", 5), line("7", 1)]);
    expect(some.body.short).toHaveLength(1);
    const updated = await guest.call("updateBasketItem", { itemKey: "line-3", quantity: 9 });
    expect(updated.body.short).toHaveLength(1);
  });

  test("passes on the system's rejection, and repeats nothing of it", async () => {
    const { client, system } = await open(setup);
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
    const unknown = await guest.call("addItemToBasket", { variantId: 5000, quantity: 1 });
    expect(unknown.body.code).toBe("unknown_item");
    const before = system.requests.length;
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    expect(system.requests.slice(before)).toEqual(["GET /cart", "POST /cart/lines/7"]);
  });

  test("accepts coupon codes if the system has them", async () => {
    const { client } = await open(setup);
    const guest = client();
    const added = await guest.call("addCouponCode", { code: "SUMMER" });
    expect(added.body.basket.coupons).toEqual(["SUMMER"]);
    expect((await guest.call("addCouponCode", { code: "WRONG" })).body.code).toBe("unknown_coupon");
    const removed = await guest.call("removeCouponCode", { code: "SUMMER" });
    expect(removed.body.basket.coupons).toEqual([]);
  });

  test("changes only if it has the revision that the client has seen", async () => {
    const { client } = await open(setup);
    const guest = client();
    const added = await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const { revision } = added.body.basket;
    expect((await guest.call("getBasket")).body.basket.revision).toBe(revision);
    await guest.call("addItemToBasket", { variantId: 8, quantity: 1, revision });
    const payload = { variantId: 8, quantity: 1 };
    const late = await guest.call("addItemToBasket", { ...payload, revision });
    expect(late).toMatchObject({ status: 412, body: { code: "basket_changed" } });
    expect(late.body.data.basket.items).toEqual([line("7", 1), line("8", 1)]);
    const match = { "if-match": `"${revision}"` };
    expect((await guest.call("addItemToBasket", payload, match)).status).toBe(412);
    const current = { "if-match": `"${late.body.data.basket.revision}"` };
    expect((await guest.call("addItemToBasket", payload, current)).status).toBe(200);
  });

  test("obeys the limits of the shop", async () => {
    const { client } = await open(setup);
    const guest = client();
    const tooMany = await guest.call("addItemToBasket", { variantId: 7, quantity: 1_000_000 });
    expect(tooMany.body).toMatchObject({
      code: "limit_reached",
      errors: [{ path: ["quantity"] }],
    });
  });

  test("lets a method change it through other methods, and read it", async () => {
    const methods = {
      addTwo: defineRpcMethod({
        async handler(_, { callRpc, readBasket }) {
          await Promise.all([
            callRpc("addItemToBasket", { variantId: 7, quantity: 1 }),
            callRpc("addItemToBasket", { variantId: 7, quantity: 1 }),
          ]);
          return readBasket();
        },
      }),
      change: defineRpcMethod({
        handler: (_, { changeBasket }) => changeBasket((basket) => basket),
      }),
    };
    setup.allowErrors();
    const { client, lines } = await open(setup, "carts", methods);
    const guest = client();
    const headers = { "idempotency-key": randomUUID() };
    expect((await guest.call("addTwo", undefined, headers)).body.basket.items).toEqual([
      line("7", 2),
    ]);
    expect((await guest.call("change")).status).toBe(500);
    expect(JSON.stringify(lines)).toContain("addItemToBasket");
  });

  test("shows no grant in log lines", async () => {
    const methods = {
      logGrant: defineCommerceMethod({
        handler(_, { grant, log }: Visit<TestGrant>) {
          log.info(`The token is ${grant?.token}`, { grant });
          throw new Error(`The token ${grant?.token} is secret`);
        },
      }),
    };
    setup.allowErrors();
    const { client, lines, system } = await open(setup, "carts", methods);
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    await guest.call("logGrant");
    expect(lines.filter(({ message }) => message.includes("[redacted]"))).not.toEqual([]);
    const [token = "-"] = system.issued();
    expect(JSON.stringify(lines)).not.toContain(token);
    lines.length = 0;
    system.fault = () => "fail";
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    await guest.call("getBasket");
    expect(lines.filter(({ level }) => level === "warn").length).toBeGreaterThan(0);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain(token);
  });
});

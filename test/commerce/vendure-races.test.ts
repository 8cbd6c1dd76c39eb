import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { CookieClient } from "../_cookie-client.ts";
import { measureMedian, tally } from "./_answers.ts";
import { ada, variants } from "./_vendure.ts";
import { countPieces, expectOk, oneMug, useVendureShop } from "./_vendure-shop.ts";

const getShop = useVendureShop();

describe("parallel calls of one visitor on two servers", () => {
  test("keep each of ten first adds, in one session of Vendure", async () => {
    for (let round = 0; round < 5; round++) {
      const guest = getShop().guest();
      expectOk(await guest.call("addItemToWishlist", { variantId: variants.kettle }));
      const before = countIssuedTokens();
      expect(tally(await addInParallel(guest, 10))).toEqual({ 200: 10 });
      expect(await countPieces(guest)).toBe(10);
      expect(countIssuedTokens() - before).toBe(1);
    }
  });

  test("keep each of twenty later adds", async () => {
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", oneMug));
    expect(tally(await addInParallel(guest, 20))).toEqual({ 200: 20 });
    expect(await countPieces(guest)).toBe(21);
  });

  test("log both of two logins in, and join the guest's order once", async () => {
    for (let round = 0; round < 3; round++) {
      await logOut(await getShop().loginAnew());
      const guest = getShop().guest();
      expectOk(await guest.call("addItemToBasket", { ...oneMug, quantity: 2 }));
      const twin = guest.clone();
      const answers = await Promise.all([guest, twin].map((client) => client.call("login", ada)));
      expect(tally(answers)).toEqual({ 200: 2 });
      expect([await countPieces(guest), await countPieces(twin)]).toEqual([2, 2]);
    }
  });
});

describe("a repeated call", () => {
  test("counts an add once, although its response was lost", async () => {
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", oneMug));
    for (let round = 0; round < 10; round++) {
      const headers = { "idempotency-key": randomUUID() };
      getShop().proxy.faults = { lose: ({ body }) => /adjustOrderLine|addItemToOrder/.test(body) };
      expect((await guest.call("addItemToBasket", oneMug, headers)).status).toBe(503);
      getShop().proxy.faults = {};
      expect((await guest.call("addItemToBasket", oneMug, headers)).status).toBe(200);
      expect(await countPieces(guest)).toBe(2 + round);
    }
  });

  test("counts a first add once, although its response was lost", async () => {
    const guest = getShop().guest();
    const headers = { "idempotency-key": randomUUID() };
    expectOk(await guest.call("addItemToWishlist", { variantId: variants.kettle }));
    getShop().proxy.faults = { lose: ({ body }) => body.includes("addItemToOrder") };
    expect((await guest.call("addItemToBasket", oneMug, headers)).status).toBe(503);
    getShop().proxy.faults = {};
    expect((await guest.call("addItemToBasket", oneMug, headers)).status).toBe(200);
    expect(await countPieces(guest)).toBe(1);
  });

  test("logs in and keeps the guest's basket, although the first response was lost", async () => {
    await logOut(await getShop().loginAnew());
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", { ...oneMug, quantity: 2 }));
    getShop().proxy.faults = { lose: ({ body }) => body.includes("login(") };
    expect((await guest.call("login", ada)).status).toBe(503);
    getShop().proxy.faults = {};
    expect((await guest.call("login", ada)).status).toBe(200);
    expect(await countPieces(guest)).toBe(2);
  });

  test("finds the paid order, although the response to the payment was lost", async () => {
    const client = await getShop().loginAnew();
    const { basket } = expectOk(await client.call("addItemToBasket", oneMug)).body;
    const fullName = "Ada Lovelace";
    const address = { fullName, streetLine1: "Weg 1", countryCode: "DE" };
    expectOk(await client.call("setShippingAddress", address));
    const [{ id }] = expectOk(await client.call("getShippingMethods")).body;
    expectOk(await client.call("setShippingMethod", { id }));
    const payment = { method: "card", orderCode: basket.code };
    getShop().proxy.faults = { lose: ({ body }) => body.includes("addPaymentToOrder") };
    expect((await client.call("pay", payment)).status).toBe(503);
    getShop().proxy.faults = {};
    const { order } = expectOk(await client.call("pay", payment)).body;
    expect(order).toMatchObject({ code: basket.code, state: "PaymentSettled" });
  });
});

describe("a Vendure that fails", () => {
  test("gives 503 with Retry-After", async () => {
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", oneMug));
    getShop().proxy.faults = { status: 500 };
    const { status, body, headers } = await guest.call("getBasket");
    expect([status, body.code]).toEqual([503, "commerce_unavailable"]);
    expect(headers.get("retry-after")).toBe("1");
  });

  test("makes no call wait any more once the circuit breaker is open, and is tried each second", async () => {
    const guest = getShop().guest();
    expectOk(await guest.call("addItemToBasket", oneMug));
    getShop().proxy.faults = { delay: 8000 };
    await Promise.all(Array.from({ length: 30 }, () => guest.call("getBasket")));
    expect(await measureMedian(() => guest.call("getBasket"))).toBeLessThan(1000);
    getShop().proxy.faults = {};
    // After its pause of a second, the circuit breaker lets a call through.
    await expect
      .poll(() => guest.call("getBasket"), { timeout: 10_000 })
      .toMatchObject({ status: 200 });
  });
});

// --- Internal helpers ---

function addInParallel(client: CookieClient, count: number) {
  return Promise.all(Array.from({ length: count }, () => client.call("addItemToBasket", oneMug)));
}

async function logOut(client: CookieClient): Promise<void> {
  expectOk(await client.call("logout"));
}

/** Each token begins a session in Vendure. */
function countIssuedTokens(): number {
  const issued = getShop().proxy.requests.map(({ response }) => response.get("vendure-auth-token"));
  return issued.filter((token) => token !== null && token !== "").length;
}

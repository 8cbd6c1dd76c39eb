import { afterEach, describe, expect, test } from "vitest";
import { createStorefront } from "../../../server/storefront.ts";
import {
  createTestClock,
  createTestRandom,
  createTestStorefront,
  type Random,
} from "../../../server/testing/index.ts";
import { testConfig } from "../../_setup.ts";

const ada = { email: "ada@example.com", password: "correct horse battery" };

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** @returns all IDs and keys that a visitor receives */
async function shop(random: Random) {
  const start = new Date("2026-11-29");
  const shops = [{ shopId: 1001, locale: "de-DE", currency: "EUR" }];
  // Without a secret, so that the storefront creates one.
  const options = { clock: createTestClock(start), random };
  const storefront = await createTestStorefront({ shops }, options);
  endings.push(storefront.close);
  const visitor = storefront.visitor();
  const answers = [];
  for (const [method, payload] of [
    ["addItemsToBasket", { items: [1, 2].map((variantId) => ({ variantId, quantity: 1 })) }],
    ["addItemToWishlist", { variantId: 3 }],
    ["register", ada],
    ["listSessions"],
  ] as const) {
    const { status, setCookies, body } = await visitor.call(method, payload as never);
    expect(status).toBe(200);
    answers.push({ setCookies, body });
  }
  return answers;
}

describe("the random values of a test storefront", () => {
  test("repeat for the same seed and time: session IDs, cookies, keys, and users", async () => {
    const [first, second] = [await shop(createTestRandom(1)), await shop(createTestRandom(1))];
    expect(second).toEqual(first);
    const [guest, , user] = first.map(({ setCookies }) => setCookies[0] ?? "");
    expect(guest).toContain("$session-1001=s%3A");
    expect(user).toContain("$session-1001=s%3A");
    expect(user).not.toBe(guest);
  });

  test("differ for another seed", () => {
    const [first, second] = [createTestRandom(1), createTestRandom(2)];
    expect(second.uuid()).not.toBe(first.uuid());
    expect(second.bytes(32)).not.toEqual(first.bytes(32));
    expect(second.between(0, 1)).not.toBe(first.between(0, 1));
  });

  test("give the same IDs, however many pauses come between", () => {
    const [calm, busy] = [createTestRandom(1), createTestRandom(1)];
    busy.between(0, 1);
    busy.bytes(100);
    expect([busy.uuid(), busy.uuid()]).toEqual([calm.uuid(), calm.uuid()]);
  });

  test("have the form of real ones", () => {
    const random = createTestRandom(1);
    const ids = Array.from({ length: 1000 }, () => random.uuid());
    for (const id of ids)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(ids).size).toBe(1000);
    for (const length of [0, 1, 32, 33, 100]) expect(random.bytes(length)).toHaveLength(length);
    expect(random.bytes(64).subarray(32)).not.toEqual(random.bytes(64).subarray(0, 32));
    for (let count = 0; count < 100; count++) {
      const pause = random.between(5, 7);
      expect(pause).toBeGreaterThanOrEqual(5);
      expect(pause).toBeLessThan(7);
    }
  });
});

test("a storefront with a secret creates no random value before its first call", async () => {
  const values: unknown[] = [];
  const random = createTestRandom(1);
  const counted: Random = {
    uuid: () => note(random.uuid()),
    bytes: (length) => note(random.bytes(length)),
    between: (least, most) => note(random.between(least, most)),
  };
  const note = <Value>(value: Value) => {
    values.push(value);
    return value;
  };
  const app = createStorefront(testConfig(), { production: false, random: counted });
  endings.push(() => app.close());
  await app.ready();
  expect(values).toEqual([]);
  const body = JSON.stringify({ payload: { variantId: 1, quantity: 1 } });
  const headers = { "content-type": "application/json", "x-shop-id": "1001" };
  const url = "http://localhost/api/rpc/addItemToBasket";
  const response = await app.fetch(new Request(url, { method: "POST", headers, body }));
  expect(response.status).toBe(200);
  const [cookie = ""] = response.headers.getSetCookie();
  expect(values.some((value) => cookie.includes(String(value)))).toBe(true);
});

import assert from "node:assert/strict";
import type { Credentials } from "../../rpc/accounts/auth.ts";
import { disturb, faults } from "./faults.ts";
import { toOutcome, type SuiteShop, type SuiteVisitor } from "./suite-shop.ts";

/**
 * Runs random changes of a basket, by a guest and then by a user, while random requests fail and processes crash. Each
 * call is repeated with its key until it succeeds. In the end, the basket must have exactly the added items.
 * @param seed the same seed makes the same changes, with the same failures
 * @param options `customer`: a new customer of the system, if the backend has accounts
 */
export async function runSeed(
  seed: number,
  shop: SuiteShop,
  {
    variantIds,
    customer,
  }: {
    readonly variantIds: readonly (string | number)[];
    readonly customer: Credentials | undefined;
  },
): Promise<void> {
  const random = createRandom(seed);
  const expected = new Map<string, number>();
  const visitor = shop.visitor();
  const variant = () => variantIds[random(variantIds.length)] as string | number;
  let inARow = 0;

  const fails = () => {
    // A circuit breaker opens after five failures in a row.
    const isFailing = inARow < 2 && random(8) === 0;
    inARow = isFailing ? inARow + 1 : 0;
    return isFailing;
  };
  await disturb(
    {
      request: () => (fails() ? faults[random(faults.length)] : undefined),
      crash: () => random(12) === 0,
    },
    async () => {
      const loginAt = customer === undefined ? -1 : 2 + random(4);
      for (let step = 0; step < 8; step++) {
        if (step === loginAt) await succeed(visitor, "login", customer);
        await change(random(6));
      }
    },
  );

  async function change(kind: number): Promise<void> {
    const known = await visitor.quantities();
    const variantId = variant();
    const quantity = 1 + random(3);
    if (kind === 0 && known[variantId] !== undefined) {
      const itemKey = await findKey(visitor, variantId);
      await succeed(visitor, "updateBasketItem", { itemKey, quantity });
      expected.set(String(variantId), quantity);
    } else if (kind === 1 && known[variantId] !== undefined) {
      const itemKey = await findKey(visitor, variantId);
      await succeed(visitor, "removeItemFromBasket", { itemKey });
      expected.delete(String(variantId));
    } else if (kind === 2) {
      const items = [...new Set([variantId, variant()])].map((id) => ({ variantId: id, quantity }));
      await succeed(visitor, "addItemsToBasket", { items });
      for (const item of items) add(item.variantId, quantity);
    } else if (kind === 3 && visitor.hasSession) {
      // Without a session, each of the two calls would begin one.
      await Promise.all([
        succeed(visitor, "addItemToBasket", { variantId, quantity }),
        succeed(visitor, "addItemToBasket", { variantId, quantity: 1 }),
      ]);
      add(variantId, quantity + 1);
    } else {
      await succeed(visitor, "addItemToBasket", { variantId, quantity });
      add(variantId, quantity);
    }
  }

  function add(variantId: string | number, quantity: number): void {
    const key = String(variantId);
    expected.set(key, (expected.get(key) ?? 0) + quantity);
  }

  const label = `Seed ${seed}`;
  assert.deepEqual(await visitor.quantities(), Object.fromEntries(expected), label);
  if (customer === undefined) return;
  // Another device shows the basket that the system has.
  const device = shop.visitor();
  await succeed(device, "login", customer);
  assert.deepEqual(await device.quantities(), Object.fromEntries(expected), label);
}

// --- Internal helpers ---

/** A random generator that repeats its numbers for a seed (mulberry32). @returns a function for integers below `limit` */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

async function succeed(visitor: SuiteVisitor, method: string, payload: unknown): Promise<void> {
  const { status, body } = await visitor.repeat(method, payload);
  assert.equal(status, 200, `${method} failed: ${JSON.stringify(body)}`);
}

async function findKey(visitor: SuiteVisitor, variantId: string | number): Promise<string> {
  const { basket } = toOutcome(await visitor.repeat("getBasket"));
  const line = basket.items.find((item) => String(item.variantId) === String(variantId));
  return line?.key as string;
}

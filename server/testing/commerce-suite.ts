/**
 * Tests of a commerce system's adapter: the public entry `storefront-core/commerce/testing`. They work with any test
 * runner.
 */

import { assertOptions } from "../../shared/similar.ts";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Credentials } from "../../rpc/accounts/auth.ts";
import type { CommerceBackend } from "../../rpc/commerce/commerce-backend.ts";
import { steps } from "../../rpc/commerce/test-hooks.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import { disturb, faults, type Disturbance } from "./faults.ts";
import { runSeed } from "./seeded-run.ts";
import { SuiteShop, toOutcome, toQuantities, type SuiteVisitor } from "./suite-shop.ts";

/** Options of {@link testCommerceBackend}. */
export interface CommerceBackendTests {
  /** The `test` function of your test runner, for example of vitest, Jest, or `node:test`. */
  readonly test: (title: string, run: () => Promise<void>) => unknown;
  /** Creates the backend, for one server. */
  readonly createBackend: () => CommerceBackend | Promise<CommerceBackend>;
  /** The IDs of two variants or more, each with 100 items or more in stock, or without a stock. */
  readonly variantIds: readonly (string | number)[];
  /** A variant with 1 to 20 items in stock. Without it, shortages aren't tested. */
  readonly scarce?: { readonly variantId: string | number; readonly stock: number } | undefined;
  /** Creates a customer with an empty basket. Default: by `accounts.register`. */
  readonly createCustomer?: (() => Promise<Credentials>) | undefined;
  /** @default { locale: "en-GB", currency: "GBP" } */
  readonly shop?: { readonly locale: string; readonly currency: string } | undefined;
  /** A storage that several servers can share: the tests then run with two of them. @default the memory of one server */
  readonly storage?: (() => StorageConfig) | undefined;
  /** The seeds of the random runs. @default 20 seeds, from 1 */
  readonly seeds?: readonly number[] | undefined;
}

/**
 * Registers the tests that every adapter with baskets must pass. Each request gets lost, is refused, or fails. The
 * process crashes at each step. Nothing may be doubled or lost.
 *
 * @example
 * import { describe, test } from "vitest";
 *
 * describe("my system", () => testCommerceBackend({ test, createBackend, variantIds: ["1", "2"] }));
 */
export function testCommerceBackend(options: CommerceBackendTests): void {
  assertOptions("testCommerceBackend", options, {
    test: true,
    createBackend: true,
    variantIds: true,
    scarce: true,
    createCustomer: true,
    shop: true,
    storage: true,
    seeds: true,
  });
  const { createBackend, variantIds, scarce } = options;
  const { seeds = Array.from({ length: 20 }, (_, index) => index + 1) } = options;
  const [first = "", second = ""] = variantIds;

  testShop("reads an empty basket, and begins no session for that", async (shop) => {
    const visitor = shop.visitor();
    assert.deepEqual(await visitor.quantities(), {});
    assert.equal(visitor.hasSession, false);
  });

  testShop("adds, changes, and removes lines", async (shop) => {
    const visitor = shop.visitor();
    await add(visitor, first, 2);
    await add(visitor, first, 1);
    await add(visitor, second, 1);
    assert.deepEqual(await visitor.quantities(), { [first]: 3, [second]: 1 });
    const { basket } = toOutcome(await visitor.call("getBasket"));
    for (const { key, variantId } of basket.items) {
      const isFirst = String(variantId) === String(first);
      const change = isFirst ? "updateBasketItem" : "removeItemFromBasket";
      const payload = isFirst ? { itemKey: key, quantity: 5 } : { itemKey: key };
      assert.equal((await visitor.call(change, payload)).status, 200);
    }
    assert.deepEqual(await visitor.quantities(), { [first]: 5 });
    const cleared = await visitor.call("clearBasket");
    assert.deepEqual(toQuantities(toOutcome(cleared).basket), {});
  });

  testShop("keeps all of ten adds at the same time", async (shop) => {
    const visitor = shop.visitor();
    await add(visitor, first, 1);
    await Promise.all(Array.from({ length: 10 }, () => add(visitor, first, 1)));
    assert.deepEqual(await visitor.quantities(), { [first]: 11 });
  });

  testShop("reports the lines that are out of stock", async (shop) => {
    if (scarce === undefined) return;
    const { variantId, stock } = scarce;
    const visitor = shop.visitor();
    const added = await visitor.call("addItemToBasket", { variantId, quantity: stock + 1 });
    const { basket, short = [] } = toOutcome(added);
    const left = toQuantities(basket);
    assert.equal(short.length, 1);
    assert.equal(short[0]?.quantity, left[variantId] ?? 0);
    // Some systems take the items in stock, and others take nothing.
    assert.equal(added.status, left[variantId] === undefined ? 409 : 200);
    await visitor.call("addItemToBasket", { variantId: first, quantity: 1 });
    assert.equal((await visitor.quantities())[first], 1);
  });

  testShop("adds once if any request fails and the call is repeated", async (shop) => {
    for (const before of [{}, { [second]: 1 }, { [first]: 1 }]) {
      await disturbEach(async (disturbance) => {
        const visitor = shop.visitor();
        for (const [variantId, quantity] of Object.entries(before)) {
          await add(visitor, variantId, quantity);
        }
        const count = await disturb(disturbance, () => add(visitor, first, 2));
        const expected = { ...before, [first]: ((before as Counts)[first] ?? 0) + 2 };
        assert.deepEqual(await visitor.quantities(), expected);
        return count;
      });
    }
  });

  testShop("joins the baskets once if any request of a login fails", async (shop, backend) => {
    if (backend.accounts === undefined) return;
    const joined = await findJoined(shop, backend);
    await disturbEach(async (disturbance) => {
      const { visitor, customer } = await prepareLogin(shop);
      const count = await disturb(disturbance, async () => {
        assert.equal((await visitor.repeat("login", customer)).status, 200);
        await visitor.repeat("getBasket");
      });
      assert.deepEqual(await visitor.quantities(), joined);
      assert.deepEqual(await readOnNewDevice(shop, customer), joined);
      return count;
    });
  });

  testShop("joins the baskets once if a login is sent twice", async (shop, backend) => {
    if (backend.accounts === undefined) return;
    const joined = await findJoined(shop, backend);
    const { visitor, customer } = await prepareLogin(shop);
    const logins = await Promise.all([
      visitor.call("login", customer),
      visitor.call("login", customer),
    ]);
    assert.ok(
      logins.some(({ status }) => status === 200),
      JSON.stringify(logins),
    );
    assert.deepEqual(await readOnNewDevice(shop, customer), joined);
  });

  for (const step of steps) {
    testShop(`loses and doubles nothing if the process crashes: ${step}`, async (shop, backend) => {
      if (backend.accounts === undefined && !step.startsWith("change")) return;
      const customer = backend.accounts && (await createCustomer(shop));
      const visitor = shop.visitor();
      let crashes = 1;
      const crash = (reached: string) => reached === step && crashes-- > 0;
      await disturb({ crash }, async () => {
        await add(visitor, first, 1);
        await add(visitor, second, 1);
        if (customer !== undefined) await visitor.repeat("login", customer);
        await add(visitor, first, 1);
      });
      assert.deepEqual(await visitor.quantities(), { [first]: 2, [second]: 1 });
    });
  }

  for (const seed of seeds) {
    testShop(`loses and doubles nothing in a random run: seed ${seed}`, async (shop, backend) => {
      const customer = backend.accounts && (await createCustomer(shop));
      await runSeed(seed, shop, { variantIds, customer });
    });
  }

  /** Runs with one server, or with two on the shared storage. */
  function testShop(
    title: string,
    run: (shop: SuiteShop, backend: CommerceBackend) => Promise<void>,
  ): void {
    const { test, shop: settings = { locale: "en-GB", currency: "GBP" }, storage } = options;
    test(title, async () => {
      const count = storage === undefined ? 1 : 2;
      const backends = await Promise.all(Array.from({ length: count }, createBackend));
      const shop = new SuiteShop(backends, settings, storage?.() ?? { driver: "memory" });
      try {
        await run(shop, backends[0] as CommerceBackend);
      } finally {
        await shop.close();
      }
    });
  }

  /** A guest with a basket, and a customer with another one. */
  async function prepareLogin(shop: SuiteShop) {
    const customer = await createCustomer(shop);
    const device = shop.visitor();
    assert.equal((await device.call("login", customer)).status, 200);
    await add(device, first, 2);
    const visitor = shop.visitor();
    await add(visitor, first, 1);
    await add(visitor, second, 1);
    return { visitor, customer };
  }

  /** The quantities after a login without faults. A system that joins baskets itself has a rule of its own for equal lines. */
  async function findJoined(shop: SuiteShop, { baskets }: CommerceBackend): Promise<Counts> {
    if (!baskets?.joinsAtLogin) return { [first]: 3, [second]: 1 };
    const { visitor, customer } = await prepareLogin(shop);
    assert.equal((await visitor.call("login", customer)).status, 200);
    return visitor.quantities();
  }

  async function createCustomer(shop: SuiteShop): Promise<Credentials> {
    if (options.createCustomer !== undefined) return options.createCustomer();
    const customer = { email: `${randomUUID()}@example.com`, password: `Aa1-${randomUUID()}` };
    const { status, body } = await shop.visitor().call("register", customer);
    assert.equal(status, 200, `register failed: ${JSON.stringify(body)}`);
    return customer;
  }
}

// --- Internal helpers ---

/** The quantities of a basket by variant. */
type Counts = Readonly<Record<string, number>>;

/** Runs work again and again: each time, another one of its requests fails, in each way. */
async function disturbEach(work: (disturbance: Disturbance) => Promise<number>): Promise<void> {
  const count = await work({});
  assert.ok(count > 0, "The backend sent no request by visit.fetch, so none of them can fail here");
  for (let failing = 0; failing < count; failing++) {
    for (const fault of faults) {
      await work({ request: (index) => (index === failing ? fault : undefined) });
    }
  }
}

async function readOnNewDevice(shop: SuiteShop, customer: Credentials): Promise<Counts> {
  const device = shop.visitor();
  assert.equal((await device.call("login", customer)).status, 200);
  return device.quantities();
}

async function add(visitor: SuiteVisitor, variantId: string | number, quantity: number) {
  const { status, body } = await visitor.repeat("addItemToBasket", { variantId, quantity });
  assert.equal(status, 200, `addItemToBasket failed: ${JSON.stringify(body)}`);
}

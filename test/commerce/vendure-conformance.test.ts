import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vendure } from "../../adapters/vendure.ts";
import { testCommerceBackend } from "../../server/testing/commerce-suite.ts";
import { useRedis } from "../_redis.ts";
import { startVendure, variants, type TestVendure } from "./_vendure.ts";

/** The number of random runs. */
const { COMMERCE_SEEDS = "10" } = process.env;

let system: TestVendure;
beforeAll(async () => {
  system = await startVendure();
});
afterAll(() => system.stop());

const getRedis = useRedis();

function check(channel: string, currency: string): Promise<void> | undefined {
  const shop = { shopId: 1001, locale: "en-DE", currency };
  return vendure({ url: `${system.url}/shop-api`, channel }).check?.({ shop, fetch });
}

test("the doctor's check finds a wrong channel or currency", async () => {
  await expect(check("shop-de", "EUR")).resolves.toBeUndefined();
  await expect(check("shop-de", "JPY")).rejects.toThrow();
  await expect(check("none", "EUR")).rejects.toMatchObject({ code: "commerce_failed" });
});

describe("the adapter of Vendure", () => {
  testCommerceBackend({
    test,
    createBackend: () => vendure({ url: `${system.url}/shop-api`, channel: "shop-de" }),
    variantIds: [variants.creamMug, variants.bottle],
    scarce: { variantId: variants.rustMug, stock: 2 },
    shop: { locale: "en-DE", currency: "EUR" },
    storage: () => ({ driver: "redis", url: getRedis().url }),
    seeds: Array.from({ length: Number(COMMERCE_SEEDS) }, (_, index) => index + 1),
  });
});

import { afterAll, beforeAll, describe, test } from "vitest";
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

import { randomUUID } from "node:crypto";
import { afterAll, describe, test } from "vitest";
import { medusa } from "../../adapters/medusa.ts";
import { testCommerceBackend } from "../../server/testing/commerce-suite.ts";
import { useRedis } from "../_redis.ts";
import { startMedusa } from "./_medusa.ts";

const system = await startMedusa();
afterAll(() => system.stop());

describe("the adapter of Medusa, behind two servers", () => {
  const { cable, laptop, mouse } = system.variants;
  const redis = useRedis();
  testCommerceBackend({
    test: (title, run) => test(title, { timeout: 600_000 }, run),
    createBackend: () => medusa({ ...system, regionId: system.regions.eur }),
    variantIds: [cable, laptop],
    scarce: { variantId: mouse, stock: 2 },
    shop: { locale: "de-DE", currency: "EUR" },
    storage: () => ({ driver: "redis", url: redis().url, base: randomUUID() }),
    seeds: [1, 2, 3, 4, 5],
  });
});

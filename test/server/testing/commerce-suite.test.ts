import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, test } from "vitest";
import { testCommerceBackend } from "../../../server/testing/commerce-suite.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem, type CommerceSystemServer } from "../../_commerce-system.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

/** All of 1,000 seeds run with `COMMERCE_SEEDS=1000`. */
const seeds = Array.from({ length: Number(process.env["COMMERCE_SEEDS"] ?? 20) }, (_, i) => i + 1);

describe.each(["joins", "carts"] as const)("an adapter of a system that %s", (kind) => {
  const system = useSystem(kind);
  testCommerceBackend({ ...options(system), seeds });
});

describeWithRedis("an adapter behind two servers", () => {
  const redis = useRedis();
  describe.each(["joins", "carts"] as const)("passes the suite with a system that %s", (kind) => {
    const system = useSystem(kind);
    testCommerceBackend({
      ...options(system),
      storage: () => ({ driver: "redis", url: redis().url, base: randomUUID() }),
      seeds: seeds.slice(0, seeds.length / 4),
    });
  });
});

function useSystem(kind: "joins" | "carts") {
  let server: CommerceSystemServer;
  beforeAll(async () => {
    server = await startCommerceSystem(kind);
  });
  afterAll(() => server.close());
  return { kind, url: () => server.url };
}

function options({ kind, url }: ReturnType<typeof useSystem>) {
  return {
    test,
    createBackend: () => createTestBackend({ url: url(), kind }),
    variantIds: [7, 8, 9],
    scarce: { variantId: 3, stock: 5 },
  };
}

import redisDriver from "unstorage/drivers/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCounters } from "../../_documents.ts";
import { describeWithRedis, startRedisCluster } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";

describeWithRedis("a Redis Cluster", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  const { start } = createSetup("redis", "request", () => ({
    driver: "redis",
    cluster: cluster.nodes,
  }));

  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 30_000);
  afterAll(() => cluster?.stop());

  test("counts failed logins of many accounts on all nodes", async () => {
    const auth = { ...trustingAuth, login: () => Promise.resolve(undefined) };
    const config = { auth, loginAttempts: { perAccount: 1 } };
    const [one, two] = [await start(config), await start(config)];
    for (let id = 1; id <= 10; id++) {
      expect((await one.client().call("login", as(id))).status).toBe(401);
      expect((await two.client().call("login", as(id))).status).toBe(429);
    }
  });

  test.each([
    ["a client without scaleReads", {}, []],
    ["scaleReads: master", { scaleReads: "master" }, []],
    ["scaleReads: slave", { scaleReads: "slave" }, ["warn"]],
    ["scaleReads: all", { scaleReads: "all" }, ["warn"]],
  ] as const)("logs a warning if reads are to go to replicas: %s", (_, clusterOptions, levels) => {
    const { lines } = openCounters(redisDriver({ cluster: cluster.nodes, clusterOptions }));
    const warnings = lines.filter(({ message }) => message.includes("scaleReads"));
    expect(warnings.map(({ level }) => level)).toEqual(levels);
  });

  test("stores sessions and baskets of many users on all nodes", async () => {
    const [one, two] = [await start({ auth: trustingAuth }), await start({ auth: trustingAuth })];
    for (let id = 1; id <= 10; id++) {
      const phone = one.client();
      await phone.call("login", as(id));
      await phone.call("addItemToBasket", { variantId: 7, quantity: 1 });
      const guest = two.client();
      await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
      const { merge } = (await guest.call("login", as(id))).body;
      expect(merge).toMatchObject({ status: "merged", lines: [{ outcome: "summed" }] });
      expect((await phone.call("getBasket")).body.basket.itemCount).toBe(3);
      expect((await guest.call("logoutEverywhere")).body).toEqual({ ended: 2 });
      expect((await phone.call("getUser")).body).toEqual({});
    }
  });
});

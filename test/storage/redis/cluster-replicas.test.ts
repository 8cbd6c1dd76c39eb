import { Redis } from "ioredis";
import redisDriver from "unstorage/drivers/redis";
import { expect, onTestFinished, test, vi } from "vitest";
import { openCounters, setTo } from "../../_documents.ts";
import { describeWithRedis, startRedis, startRedisCluster } from "../../_redis.ts";

/** The nodes of a cluster learn of each other in some seconds. */
const patience = { timeout: 60_000, interval: 50 };

describeWithRedis("a replica of a Redis Cluster", () => {
  test("gets no read, whatever the options of the driver object are", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const replica = await startRedis({ args: ["--cluster-enabled", "yes"] });
    onTestFinished(() => replica.stop());
    const { host, port } = cluster.nodes[0] as (typeof cluster.nodes)[number];
    const [primary, control] = [new Redis({ host, port }), new Redis(replica.url)];
    onTestFinished(() => [primary, control].forEach((client) => client.disconnect()));
    await control.call("CLUSTER", "MEET", host, String(port));
    const id = String(await primary.call("CLUSTER", "MYID"));
    await vi.waitFor(() => control.call("CLUSTER", "REPLICATE", id), patience);
    await vi.waitFor(async () => {
      const slots = await primary.call("CLUSTER", "SLOTS");
      expect(JSON.stringify(slots)).toContain(`,${replica.port},`);
    }, patience);
    const clusterOptions = { scaleReads: "slave" as const };
    const { counters } = openCounters(redisDriver({ cluster: cluster.nodes, clusterOptions }));
    const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`);
    for (const key of keys) await counters.update(key, setTo(1));
    replica.pause();
    onTestFinished(() => replica.resume());
    for (const key of keys) expect((await counters.get(key)).value).toEqual({ count: 1 });
  });
});

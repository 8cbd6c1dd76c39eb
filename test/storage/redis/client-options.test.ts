import { expect, onTestFinished, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { increment, openCounters, until } from "../../_documents.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";

describeWithRedis("a Redis that was stopped", () => {
  test.each([
    ["auto-pipelining", { enableAutoPipelining: true }],
    ["no ready check", { enableReadyCheck: false }],
    ["no ready check and a name", { enableReadyCheck: false, connectionName: "shop" }],
    ["a retryStrategy that gives up", { retryStrategy: () => null }],
  ])("serves calls again after its restart, with %s", async (_, options) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const limits = { commandTimeout: 200, connectTimeout: 200 };
    const driver = openDriver({ driver: "redis", url: redis.url, ...limits, ...options });
    const { counters } = openCounters(driver);
    const writes = () =>
      counters.update("a", increment).then(
        () => true,
        () => false,
      );
    // The first write also opens the connection, which can take longer than the limit.
    await until(writes);
    redis.pause();
    // Meanwhile, the client loses connections with commands on them, several times.
    for (let call = 0; call < 8; call++) expect(await writes()).toBe(false);
    redis.resume();
    await until(writes);
  });
});

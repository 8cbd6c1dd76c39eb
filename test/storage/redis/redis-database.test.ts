import { Redis } from "ioredis";
import type { Driver } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import { expect, onTestFinished, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { increment, openCounters, until } from "../../_documents.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

const drivers: [string, (url: string) => Driver][] = [
  ["by name", (url) => openDriver({ driver: "redis", url })],
  ["as a driver object", (url) => redisDriver({ url })],
];

describeWithRedis("the database of a Redis", () => {
  const redis = useRedis();

  test.each(drivers)("never changes if Redis rejects it: %s", async (_, open) => {
    const control = new Redis(redis().url);
    onTestFinished(() => control.disconnect());
    await control.flushall();
    await control.call("ACL", "SETUSER", "default", "-select");
    const { counters, lines } = openCounters(open(`${redis().url}/1`));
    const write = () =>
      counters.update("a", increment).then(
        () => true,
        () => false,
      );
    expect([await write(), await write(), await write()]).toEqual([false, false, false]);
    expect(lines).toMatchObject([{ level: "error", details: { reason: "NOPERM" } }]);
    await control.call("ACL", "SETUSER", "default", "+select");
    await until(write);
    expect(await control.dbsize()).toBe(0);
    await control.select(1);
    expect(await control.dbsize()).toBe(1);
  });
});

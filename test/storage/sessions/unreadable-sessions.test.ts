import { randomUUID } from "node:crypto";
import { createStorage, type Driver } from "unstorage";
import { describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

/** Texts of other programs, and damaged documents. */
const garbage = [
  ["an HTML page", "<!doctype html><title>Log in</title>"],
  ["an empty text", ""],
  ["JSON of another shape", '{"error":"login_required"}'],
  ["half a document", '{"version":"x","value":{"hand'],
  ["a document of another shape", '{"version":"x","value":[]}'],
] as const;

describe("memory", () => {
  testGarbage(() => openDriver({ driver: "memory" }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testGarbage(() => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

function testGarbage(createDriver: () => Driver): void {
  let driver: Driver;
  const { start } = createSetup("memory", "request", () => (driver = createDriver()));

  test.each(garbage)("keeps the cookie and the record of a session that is %s", async (_, text) => {
    const { client, lines } = await start({ methods: testMethods, session: { cache: false } });
    const user = client();
    await user.call("enter", { id: 7 });
    const id = user.sessionId?.slice(-36) as string;
    const key = `session:1001:${id}`;
    const storage = createStorage({ driver });
    const record = await driver.getItem(key, {});
    await storage.setItemRaw(key, text);
    const reads = [await user.call("getUser"), await user.call("getBasket")];
    for (const { status, setCookies } of reads) expect([status, setCookies]).toEqual([200, []]);
    // A call that begins a session begins another one.
    const write = await user.clone().call("note", { begun: true });
    expect(write.status).toBe(204);
    expect(await driver.getItem(key, {})).toBe(text);
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings.length).toBeGreaterThan(0);
    for (const { details } of warnings) expect(details).toMatchObject({ key: id });
    await storage.setItemRaw(key, record);
    expect((await user.call("getUser")).body.user).toMatchObject({ id: 7 });
  });
}

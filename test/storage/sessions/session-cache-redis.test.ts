import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7, firstName: "Ada" }),
  }),
  rename: defineRpcMethod({
    handler: (_, { user, updateUser }) => updateUser({ id: 7, ...user, firstName: "Eve" }),
  }),
  endAll: defineRpcMethod({
    handler: async (_, { destroySessionsForUserId }) => void (await destroySessionsForUserId(7)),
  }),
};

describeWithRedis("two storefronts with caches on one Redis", () => {
  const redis = useRedis();
  const setup = createSetup("redis", "request", () => ({ driver: "redis", url: redis().url }));
  let control: Redis;

  beforeEach(() => {
    control = new Redis(redis().url);
  });
  afterEach(() => control.disconnect());

  /** Two servers, and one visitor at both whose session is warm in the second's cache. */
  async function startTwo(session = {}): Promise<{ a: CookieClient; b: CookieClient }> {
    const storage = { driver: "redis", url: redis().url, base: randomUUID() };
    const config = { methods, session, storage: { session: storage } };
    const [first, second] = [await setup.start(config), await setup.start(config)];
    const a = first.client();
    await a.call("enter");
    const b = second.client();
    for (const [name, value] of a.cookies) b.cookies.set(name, value);
    await until(async () => (await countGets(() => b.call("getUser"))) === 0);
    return { a, b };
  }

  /** How many reads Redis is sent. */
  async function countGets(run: () => Promise<unknown>): Promise<number> {
    await control.config("RESETSTAT");
    await run();
    const stats = await control.info("commandstats");
    return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  test("a cached read sends Redis no command, any other read sends one", async () => {
    const { a, b } = await startTwo();
    expect(await countGets(() => b.call("getUser"))).toBe(0);
    await a.call("rename");
    await until(async () => (await b.call("getUser")).body.user.firstName === "Eve");
    expect(await countGets(() => b.call("getUser"))).toBe(0);
  });

  test.each(["rename", "logout", "endAll"])(
    "%s on one server reaches the other",
    async (method) => {
      const { a, b } = await startTwo();
      await a.call(method);
      await until(async () => (await b.call("getUser")).body.user?.firstName !== "Ada");
    },
  );

  test("responses are correct while the connection for changes is cut again and again", async () => {
    const { a, b } = await startTwo();
    await control.client("KILL", "TYPE", "pubsub");
    await a.call("rename");
    await until(async () => (await b.call("getUser")).body.user?.firstName === "Eve");
    // Also when notifications come again: the server has missed the changes in between.
    await until(async () => (await countGets(() => b.call("getUser"))) === 0);
    expect((await b.call("getUser")).body.user.firstName).toBe("Eve");
    await control.client("KILL", "TYPE", "pubsub");
    await a.call("endAll");
    await until(async () => (await b.call("getUser")).body.user === undefined);
  });

  test("a Redis that can't push changes is asked once, and every read goes to it", async () => {
    await control.call("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "resetchannels", "+@all");
    const url = redis().url.replace("redis://", "redis://deaf:pw@");
    const storage = { driver: "redis", url, base: randomUUID() };
    const { lines, client } = await setup.start({ methods, storage: { session: storage } });
    const user = client();
    await user.call("enter");
    await until(async () => lines.some(isRefusal));
    for (let call = 0; call < 5; call++) {
      // The session, and the generation of its shop.
      expect(await countGets(() => user.call("getUser"))).toBe(2);
    }
    expect(lines.filter(isRefusal)).toHaveLength(1);
  });

  test("without a cache, every read goes to Redis", async () => {
    const storage = { driver: "redis", url: redis().url, base: randomUUID() };
    const { client } = await setup.start({
      methods,
      session: { cache: false },
      storage: { session: storage },
    });
    const user = client();
    await user.call("enter");
    // The cache reads the generation with each session until Redis pushes changes.
    await until(async () => (await countGets(() => user.call("getUser"))) === 1);
    for (let call = 0; call < 5; call++) {
      expect(await countGets(() => user.call("getUser"))).toBe(1);
    }
  });
});

// --- Internal helpers ---

function isRefusal({ message }: { message: string }): boolean {
  return message.includes("are not cached");
}

/** Changes travel in milliseconds, but a machine under load can take seconds. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("It did not come to that in time");
    await sleep(2);
  }
}

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { until } from "../../_documents.ts";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { describeWithRedis, startRedis, type TestRedis } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { twinAt } from "../../fixtures/clients.ts";
import { cachedMethods, createUpstream } from "../../fixtures/upstream.ts";

const password = "correct horse 1";

/** A visit that needs all kinds of documents. */
async function visit(client: CookieClient): Promise<void> {
  const account = { email: `${randomUUID()}@example.com`, password };
  const calls: [string, unknown?][] = [
    ["addItemToBasket", { variantId: 7, quantity: 1 }],
    ["register", account],
    ["addItemToWishlist", { variantId: 7 }],
    ["logout"],
    ["addItemToBasket", { variantId: 7, quantity: 1 }],
    ["login", account],
    ["updatePassword", { oldPassword: password, newPassword: "battery staple 2" }],
  ];
  for (const [method, payload] of calls) {
    expect([method, (await client.call(method, payload)).status]).toEqual([
      method,
      method === "logout" ? 204 : 200,
    ]);
  }
  expect((await client.call("getBasket")).body.basket.itemCount).toBe(2);
  expect((await client.call("logoutEverywhere")).status).toBe(200);
  expect((await client.call("getUser")).body.user).toBeUndefined();
}

describeWithRedis("a Redis", () => {
  const setup = createSetup("redis", "request", () => ({ driver: "memory" }));
  let redis: TestRedis;
  let control: Redis;

  beforeEach(async () => {
    redis = await startRedis();
    control = new Redis(redis.url);
    onTestFinished(async () => {
      control.disconnect();
      await redis.stop();
    });
  });

  describe("user with its own keys", () => {
    const least = "+get +ping +eval +evalsha +set +del +expire +pttl +incrby +rename".split(" ");

    test.each([
      ["all but dangerous commands, and no channels", ["+@all", "-@dangerous"]],
      ["the commands that the docs name", ["-@all", ...least]],
      [
        "those and the ones that the feed needs",
        ["-@all", ...least, "+client", "+subscribe", "&__redis__:invalidate"],
      ],
      ["a feed that it may not ping", ["+@all", "-ping", "allchannels"]],
    ])("can do everything with %s, and is logged about once", async (_, rules) => {
      const fixed = ["on", ">pw", "~storefront:*", "resetchannels"];
      await control.call("ACL", "SETUSER", "shop", ...fixed, ...rules);
      const url = redis.url.replace("redis://", "redis://shop:pw@");
      const session = { driver: "redis", url, base: "storefront" };
      const upstream = createUpstream();
      const server = await setup.start({ storage: { session }, methods: cachedMethods(upstream) });
      await visit(server.client());
      for (const version of [1, 1, 2]) {
        upstream.version = version;
        if (version === 2) await server.client().call("invalidate", ["a"]);
        const read = await server.client().call("read", { key: "a", tags: ["a"] });
        expect(read.body.version).toBe(version);
      }
      expect(upstream.requests).toHaveLength(2);
      expect((await server.send("/readyz", {})).status).toBe(200);
      const lines = server.lines.filter(({ message }) => message.includes("can't push changes"));
      expect(lines.length).toBeLessThanOrEqual(1);
      expect(server.lines.filter(({ level }) => level === "error")).toEqual([]);
    });
  });

  test.each([
    ["stringNumbers", { stringNumbers: true }],
    ["keyPrefix", { keyPrefix: "shop:", base: "front", db: 2 }],
    ["lazyConnect", { lazyConnect: true }],
    ["enableOfflineQueue", { enableOfflineQueue: false }],
    ["enableAutoPipelining", { enableAutoPipelining: true }],
  ])("serves all calls with ioredis' option %s", async (_, options) => {
    const session = { driver: "redis", url: redis.url, ...options };
    const [one, two] = [
      await setup.start({ storage: { session } }),
      await setup.start({ storage: { session: { ...session } } }),
    ];
    await visit(one.client());
    const client = one.client();
    await client.call("register", { email: "ada@example.com", password });
    const twin = twinAt(two, client);
    expect((await twin.call("getUser")).body.user).toBeDefined();
    await client.call("logout");
    await until(async () => (await twin.call("getUser")).body.user === undefined);
  });

  describe("a Redis user without memory", () => {
    test("accepts a logout, which only removes", async () => {
      const session = { driver: "redis", url: redis.url };
      const server = await setup.start({ storage: { session } });
      const client = server.client();
      await client.call("register", { email: "ada@example.com", password });
      const twin = twinAt(server, client);
      await control.config("SET", "maxmemory", "1");
      expect((await client.call("logout")).status).toBe(204);
      expect((await twin.call("getUser")).body.user).toBeUndefined();
      await control.config("SET", "maxmemory", "0");
      expect((await twin.call("getUser")).body.user).toBeUndefined();
    });

    test("responds 503 if an end of all sessions fails", async () => {
      setup.allowErrors();
      const session = { driver: "redis", url: redis.url };
      const server = await setup.start({ storage: { session } });
      const client = server.client();
      await client.call("register", { email: "ada@example.com", password });
      await control.config("SET", "maxmemory", "1");
      expect((await client.call("logoutEverywhere")).status).toBe(503);
      expect((await client.call("getUser")).body.user).toBeDefined();
      await control.config("SET", "maxmemory", "0");
      expect((await client.call("logoutEverywhere")).status).toBe(200);
      expect((await client.call("getUser")).body.user).toBeUndefined();
    });
  });
});

describe("an end of all sessions, while the storage", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each([
    ["takes no marks of ended sessions", (key: string) => key.startsWith("session:1001:")],
    ["takes no second write of the user's index", createSecond("user:")],
  ])("%s, is responded to as done", async (_, refuses) => {
    const faulty = createFaultyDriver();
    const server = await setup.start({ storage: { session: faulty.driver } });
    const client = server.client();
    await client.call("register", { email: "ada@example.com", password });
    const twin = twinAt(server, client);
    faulty.before = ({ kind, key }) => {
      if (kind === "write" && refuses(key)) throw new Error("out of memory");
    };
    expect((await client.call("logoutEverywhere")).status).toBe(200);
    faulty.heal();
    expect((await twin.call("getUser")).body.user).toBeUndefined();
    expect((await client.call("login", { email: "ada@example.com", password })).status).toBe(200);
  });
});

function createSecond(prefix: string): (key: string) => boolean {
  let writes = 0;
  return (key) => key.startsWith(prefix) && ++writes > 1;
}

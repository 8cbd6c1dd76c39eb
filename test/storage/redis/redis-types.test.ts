import { Redis } from "ioredis";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { describeWithRedis, startRedis } from "../../_redis.ts";
import { createSetup, type TestStorefront } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";

const account = { email: "ada@example.com", password: "correct horse 1" };

/** Replaces a text by another Redis type. */
const makers: [string, (control: Redis, key: string) => Promise<unknown>][] = [
  ["list", (control, key) => control.rpush(key, "x")],
  ["hash", (control, key) => control.hset(key, "x", "1")],
  ["stream", (control, key) => control.xadd(key, "*", "x", "1")],
];

describeWithRedis("another Redis type", () => {
  const setup = createSetup("redis", "request", () => ({ driver: "memory" }));
  let control: Redis;
  let server: TestStorefront;
  let client: CookieClient;

  beforeEach(async () => {
    const redis = await startRedis();
    control = new Redis(redis.url);
    onTestFinished(async () => {
      control.disconnect();
      await redis.stop();
    });
    const session = { driver: "redis", url: redis.url };
    server = await setup.start({ storage: { session } });
    client = server.client();
    expect((await client.call("register", account)).status).toBe(200);
    await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
    await client.call("addItemToWishlist", { variantId: 7 });
  });

  async function spoil(pattern: string, make: (control: Redis, key: string) => Promise<unknown>) {
    const keys = (await control.keys(pattern)).filter((key) => !key.endsWith(":unreadable"));
    expect(keys).not.toEqual([]);
    for (const key of keys) {
      await control.del(key);
      await make(control, key);
    }
    return keys;
  }

  const warnings = () => server.lines.filter(({ level }) => level === "warn");

  test.each(makers)("ends a session with a log line (%s)", async (_, make) => {
    await spoil("session:1001:*", make);
    const { status, body } = await client.call("getUser");
    expect([status, body.user]).toEqual([200, undefined]);
    expect((await client.call("addItemToBasket", { variantId: 8, quantity: 1 })).status).toBe(200);
    expect((await client.call("login", account)).status).toBe(200);
    expect((await client.call("getUser")).body.user).toMatchObject({ email: account.email });
    expect(warnings().map(({ message }) => message)).toContainEqual(
      expect.stringContaining("was dropped"),
    );
  });

  test.each(makers)("sets an unreadable basket or wishlist aside (%s)", async (type, make) => {
    const keys = [...(await spoil("basket:*", make)), ...(await spoil("wishlist:*", make))];
    expect((await client.call("getBasket")).body.basket.items).toEqual([]);
    const { body } = await client.call("addItemToBasket", { variantId: 8, quantity: 2 });
    expect(body.basket.itemCount).toBe(2);
    expect((await client.call("addItemToWishlist", { variantId: 9 })).status).toBe(200);
    for (const key of keys) {
      expect(await control.type(key)).toBe("string");
      expect(await control.type(`${key}:unreadable`)).toBe(type);
      expect(await control.ttl(`${key}:unreadable`)).toBeGreaterThan(0);
    }
  });

  test.each(makers)("blocks no login as the value of a user's index (%s)", async (_, make) => {
    await spoil("user:*", make);
    expect((await server.client().call("login", account)).status).toBe(200);
    expect((await server.client().call("login", account)).status).toBe(200);
  });

  test.each(makers)("fails only the logins as the value of an account (%s)", async (_, make) => {
    setup.allowErrors();
    const [key = ""] = await spoil("account:*", make);
    expect((await server.client().call("login", account)).status).toBe(503);
    expect((await server.client().call("register", account)).status).toBe(503);
    expect(await control.type(key)).not.toBe("string");
    expect((await client.call("getUser")).status).toBe(200);
  });

  test.each(makers)("ends all sessions as the value of the generations (%s)", async (_, make) => {
    await spoil("session-generations:current", make);
    await expect
      .poll(async () => (await client.call("getUser")).body?.user, { timeout: 3000 })
      .toBeUndefined();
    expect((await client.call("login", account)).status).toBe(200);
    expect((await client.call("getUser")).body.user).toMatchObject({ email: account.email });
  });

  test.each(makers)("doesn't affect readiness as the value of its marker (%s)", async (_, make) => {
    await make(control, "ping");
    expect((await client.request("/readyz")).status).toBe(200);
  });

  test("under any other key fails no call", async () => {
    const newPassword = "battery staple 2";
    const change = { oldPassword: account.password, newPassword };
    expect((await client.call("updatePassword", change)).status).toBe(200);
    expect((await client.call("logoutEverywhere")).status).toBe(200);
    const refused = ["account:", "login-attempts:"];
    const keys = [...(await control.keys("*")), "session:epochs", "ping"];
    const checked = keys.filter((key) => !refused.some((prefix) => key.startsWith(prefix)));
    expect(checked.length).toBeGreaterThan(5);
    const calls: [string, unknown?][] = [
      ["addItemToBasket", { variantId: 9, quantity: 1 }],
      ["login", { ...account, password: newPassword }],
      ["getUser"],
      ["addItemToBasket", { variantId: 8, quantity: 1 }],
      ["getWishlist"],
      ["listSessions"],
      ["updatePassword", { oldPassword: newPassword, newPassword }],
      ["logoutEverywhere"],
    ];
    for (const key of checked) {
      await control.del(key);
      await control.hset(key, "x", "1");
      const other = server.client();
      for (const [method, payload] of calls) {
        const { status } = await other.call(method, payload);
        expect([key, method, status]).toEqual([key, method, 200]);
      }
    }
  }, 60_000);
});

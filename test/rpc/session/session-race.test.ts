import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createTestAuth, testAccount as account } from "../../_client.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup, type Setup } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const { password } = account;
const newPassword = "battery staple";

describe("a page with calls during a change of its session, in memory", () => {
  testRaces(createSetup("memory", "server", () => ({ driver: "memory" })));
});

describeWithRedis("a page with calls during a change of its session, on Redis", () => {
  const redis = useRedis();
  const storage = () => ({ driver: "redis", url: redis().url, base: randomUUID() });
  testRaces(createSetup("redis", "server", storage));
});

/** The calls that change the ID of a user's session. */
const changes: Readonly<Record<string, readonly [method: string, payload: unknown]>> = {
  reauthenticate: ["reauthenticate", { password }],
  updatePassword: ["updatePassword", { oldPassword: password, newPassword }],
  "a login as the same user": ["login", account],
};

function testRaces({ start }: Setup): void {
  const begin = async (session: object = {}) => {
    const config = { auth: createTestAuth(), methods: testMethods, basket: { maxItems: 5000 } };
    return (await start({ ...config, session })).client;
  };

  test.each(Object.entries(changes))(
    "stays logged in during %s, and keeps each acknowledged write",
    async (_, change) => {
      const client = await begin();
      const user = client();
      await user.call("login", account);
      for (let round = 0; round < 20; round++) {
        const page = writeOften(user);
        await sleep(10);
        const { status } = await user.call(...change);
        await sleep(10);
        const answers = await page.stop();
        const place = `round ${round}`;
        expect([200, 204], place).toContain(status);
        expect((await user.call("getUser")).body.user?.id, place).toBe(7);
        for (const answer of answers) expectKeptOrRefused(answer, place);
        const { basket } = (await user.call("getBasket")).body;
        const variants = basket.items.map((item: { variantId: string }) => item.variantId);
        expect(variants, place).toEqual(expect.arrayContaining(page.kept()));
        await user.call("clearBasket");
      }
    },
  );

  test("finds every acknowledged line in the basket after a login", async () => {
    const client = await begin();
    for (let round = 0; round < 30; round++) {
      const guest = client();
      await guest.call("addItemToBasket", { variantId: "first", quantity: 1 });
      const login = guest.call("login", account);
      const adds = Array.from({ length: 8 }, async (_, n) => {
        await sleep(n);
        const variantId = `round-${round}-${n}`;
        return {
          variantId,
          answer: await guest.call("addItemToBasket", { variantId, quantity: 1 }),
        };
      });
      expect((await login).status).toBe(200);
      const answers = await Promise.all(adds);
      const place = `round ${round}`;
      for (const { answer } of answers) expectKeptOrRefused(answer, place);
      expect((await guest.call("getUser")).body.user?.id, place).toBe(7);
      const { items } = (await guest.call("getBasket")).body.basket;
      const variants = items.map((item: { variantId: string }) => item.variantId);
      const kept = answers.filter(({ answer }) => answer.status === 200);
      expect(variants, place).toEqual(
        expect.arrayContaining(["first", ...kept.map(({ variantId }) => variantId)]),
      );
      await guest.call("clearBasket");
    }
  });

  test("stays logged in during renewals of its ID", async () => {
    const client = await begin({ renewAfter: 1 });
    const user = client();
    await user.call("login", account);
    for (let round = 0; round < 3; round++) {
      await sleep(1000);
      const page = writeOften(user);
      await page.until(5);
      const answers = await page.stop();
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect((await user.call("getUser")).body.user?.id).toBe(7);
    }
    const { items } = (await user.call("getBasket")).body.basket;
    expect(items.length).toBeGreaterThan(10);
  });

  test("loses no acknowledged line by a logout", async () => {
    const client = await begin();
    for (let round = 0; round < 20; round++) {
      const user = client();
      await user.call("login", account);
      await user.call("clearBasket");
      const page = writeOften(user);
      await sleep(10);
      expect((await user.call("logout")).status).toBe(204);
      // Calls in flight were sent with the session that ended.
      const answers = await page.stop();
      for (const { status, body, setCookies } of answers) {
        if (status === 200) continue;
        expect(setCookies).toEqual([]);
        expect(status).toBe(409);
        expect(["session_ended", "session_changed"]).toContain(body.code);
      }
      const again = client();
      await again.call("login", account);
      const { items } = (await again.call("getBasket")).body.basket;
      const variants = items.map((item: { variantId: string }) => item.variantId);
      expect(variants, `round ${round}`).toEqual(expect.arrayContaining(page.kept()));
    }
  });
}

/** A page that adds a line to the basket every three milliseconds, without waiting for responses. */
function writeOften(user: CookieClient) {
  const calls: Promise<{ variantId: string; answer: Answer }>[] = [];
  let last: readonly { variantId: string; answer: Answer }[] = [];
  const write = async () => {
    const variantId = randomUUID();
    return { variantId, answer: await user.call("addItemToBasket", { variantId, quantity: 1 }) };
  };
  // Without a cookie, the page has no session that it can lose.
  const timer = setInterval(() => user.cookies.size > 0 && calls.push(write()), 3);
  return {
    /** Waits until the page has made this many calls. */
    async until(count: number): Promise<void> {
      while (calls.length < count) await sleep(3);
    },
    async stop(): Promise<Answer[]> {
      clearInterval(timer);
      last = await Promise.all(calls);
      return last.map(({ answer }) => answer);
    },
    /** The acknowledged lines. */
    kept: () =>
      last.filter(({ answer }) => answer.status === 200).map(({ variantId }) => variantId),
  };
}

/** Expects that a change was stored, or rejected without a cookie. */
function expectKeptOrRefused({ status, body, setCookies }: Answer, place: string): void {
  expect([200, 409], place).toContain(status);
  if (status === 200) return;
  expect(body.code, place).toBe("session_changed");
  expect(body.executed, place).toEqual(expect.any(Boolean));
  expect(setCookies, place).toEqual([]);
}

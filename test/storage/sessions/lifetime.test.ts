import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionConfig } from "../../../server/config/keys/session-keys.ts";
import { createTestClock } from "../../../server/testing/index.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup, type Setup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const clock = createTestClock();

describe("lifetimes · memory", () => {
  checkLifetimes(createSetup("memory", "request", () => ({ driver: "memory" })));
});

describe("lifetimes · lru-cache", () => {
  checkLifetimes(createSetup("memory", "request", () => ({ driver: "lru-cache" })));
});

describe("lifetimes · fs", () => {
  let folder = "";
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "lifetimes-"))));
  afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));
  checkLifetimes(createSetup("memory", "request", () => ({ driver: "fs", base: folder })));
});

describeWithRedis("lifetimes · redis", () => {
  const redis = useRedis();
  const storage = () => ({ driver: "redis", url: redis().url, base: crypto.randomUUID() });
  checkLifetimes(createSetup("redis", "request", storage));
});

// --- Internal helpers ---

/** The server ends sessions by itself, whatever cookies say and whatever the driver makes of a TTL. */
function checkLifetimes({ start }: Setup): void {
  async function begin(
    session: SessionConfig,
  ): Promise<{ guest: CookieClient; user: CookieClient }> {
    const { client } = await start({ methods: testMethods, session }, { clock });
    const [guest, user] = [client(), client()];
    await guest.call("note", { alive: true });
    await user.call("enter", { id: 7 });
    await user.call("note", { alive: true });
    return { guest, user };
  }

  test("an unused session ends after idleTimeout; a guest's after its own", async () => {
    const { guest, user } = await begin({ maxAge: 1000, idleTimeout: 100, guestIdleTimeout: 500 });
    await clock.advance(99);
    expect(await isAlive(user)).toBe(true);
    await clock.advance(100);
    expect(await isAlive(user)).toBe(false);
    await clock.advance(300);
    expect(await isAlive(guest)).toBe(true);
    await clock.advance(500);
    expect(await isAlive(guest)).toBe(false);
  });

  test("a session in use ends after absoluteTimeout; a guest's after its own", async () => {
    const { guest, user } = await begin({
      maxAge: 1000,
      idleTimeout: 100,
      absoluteTimeout: 250,
      guestAbsoluteTimeout: 400,
    });
    const endsAt = { guest: 0, user: 0 };
    for (let passed = 50; passed <= 500; passed += 50) {
      await clock.advance(50);
      if (!endsAt.user && !(await isAlive(user))) endsAt.user = passed;
      if (!endsAt.guest && !(await isAlive(guest))) endsAt.guest = passed;
    }
    expect(endsAt).toEqual({ guest: 400, user: 250 });
  });

  test("a guest's time doesn't count for the next login", async () => {
    const { guest } = await begin({ maxAge: 1000, absoluteTimeout: 250, guestAbsoluteTimeout: 90 });
    await clock.advance(80);
    await guest.call("enter", { id: 8 });
    await clock.advance(240);
    expect(await isAlive(guest)).toBe(true);
    await clock.advance(10);
    expect(await isAlive(guest)).toBe(false);
  });

  test("a user's session ends after 30 days unless the config says otherwise", async () => {
    const { user } = await begin({ maxAge: 20 * 86_400 });
    await clock.advance(15 * 86_400);
    expect(await isAlive(user)).toBe(true);
    await clock.advance(15 * 86_400 - 1);
    expect(await isAlive(user)).toBe(true);
    await clock.advance(1);
    expect(await isAlive(user)).toBe(false);
  });
}

async function isAlive(client: CookieClient): Promise<boolean> {
  return (await client.call("notes")).body.alive === true;
}

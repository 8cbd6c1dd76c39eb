import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/method.ts";
import type { ChangeListener } from "../../../storage/documents/changes.ts";
import type { Snapshot } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/documents/driver.ts";
import {
  DefaultSessionCacheStrategy,
  InMemorySessionCacheStrategy,
  type CachedSession,
  type SessionCacheStrategy,
} from "../../../storage/sessions/session-cache-strategy.ts";
import { SessionCache } from "../../../storage/sessions/session-cache.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../_log.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createMatrix } from "../../_setup.ts";
import type { Visitor } from "../../_visitor.ts";

const key = "3f1d0d5e-0000-4000-8000-000000000000";

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

function toSnapshot(version: string, expiresAt = Date.now() + 60_000): Snapshot<SessionRecord> {
  const value = {
    id: key,
    createdAt: 0,
    lastSeenAt: 0,
    handle: "h",
    ownerKey: "o",
    customData: { version },
  };
  return { value, version, expiresAt };
}

describe("a session cache", () => {
  let isUp = true;
  let tell: ChangeListener;
  let reads = 0;
  let stored: Snapshot<SessionRecord>;
  const feed = {
    isUp: () => isUp,
    listen: (listener: ChangeListener) => void (tell = listener),
    close: () => {},
  };
  const read = async () => {
    reads++;
    return stored;
  };
  function create(strategy: SessionCacheStrategy = new InMemorySessionCacheStrategy()) {
    return new SessionCache(1001, feed, { ttl: 300, max: 10, strategy });
  }

  beforeEach(() => {
    isUp = true;
    reads = 0;
    stored = toSnapshot("1");
  });

  test("reads the storage once", async () => {
    const cache = create();
    for (let call = 0; call < 3; call++) expect(await cache.read(key, read)).toEqual(stored);
    expect(reads).toBe(1);
  });

  test("reads anew what has changed, and what may have", async () => {
    const cache = create();
    for (const path of [`session:1001:${key}`, undefined]) {
      await cache.read(key, read);
      stored = toSnapshot(randomUUID());
      tell(path);
      expect(await cache.read(key, read)).toEqual(stored);
    }
  });

  test("takes what an entry has become where it is told, and nothing else", async () => {
    const cache = create();
    const path = `session:1001:${key}`;
    tell(path, toSnapshot("2"));
    await cache.read(key, read);
    const written = toSnapshot("3");
    tell(path, written);
    expect(await cache.read(key, read)).toEqual(written);
    const { id: _, ...asStored } = written.value as SessionRecord;
    tell(path, { ...written, value: asStored });
    expect(await cache.read(key, read)).toEqual(written);
    expect(reads).toBe(1);
    tell(path, { value: undefined, version: "4" });
    expect(await cache.read(key, read)).toEqual(stored);
  });

  test("is not troubled by the changes of another shop", async () => {
    const cache = create();
    await cache.read(key, read);
    tell(`session:1002:${key}`);
    await cache.read(key, read);
    expect(reads).toBe(1);
  });

  test("does not keep what changed while it was read", async () => {
    const cache = create();
    await cache.read(key, async () => {
      const old = stored;
      stored = toSnapshot("2");
      tell(`session:1001:${key}`);
      return old;
    });
    expect(await cache.read(key, read)).toEqual(stored);
  });

  test("steps aside while changes cannot be heard", async () => {
    const cache = create();
    await cache.read(key, read);
    isUp = false;
    stored = toSnapshot("2");
    expect(await cache.read(key, read)).toEqual(stored);
  });

  test("keeps neither what is absent nor what has expired", async () => {
    const cache = create();
    stored = { value: undefined, version: "" };
    await cache.read(key, read);
    await cache.read(key, read);
    stored = toSnapshot("1", Date.now() - 1);
    await cache.read(key, read);
    await cache.read(key, read);
    expect(reads).toBe(4);
  });

  test.each<[string, Partial<SessionCacheStrategy>]>([
    ["never forgets", { delete: () => {}, clear: () => {} }],
    ["fails to forget", { delete: () => Promise.reject(new Error("no")) }],
    ["throws", { get: fail, set: fail, delete: fail, clear: fail }],
    ["hangs", { get: () => new Promise(() => {}), delete: () => new Promise(() => {}) }],
  ])("revives nothing with a strategy that %s", async (_, broken) => {
    const memory = new InMemorySessionCacheStrategy();
    const whole: SessionCacheStrategy = {
      get: (token) => memory.get(token),
      set: (session) => memory.set(session),
      delete: (token) => memory.delete(token),
      clear: () => memory.clear(),
    };
    const cache = create({ ...whole, ...broken });
    expect(await cache.read(key, read)).toEqual(stored);
    stored = { value: undefined, version: "" };
    tell(`session:1001:${key}`);
    expect(await cache.read(key, read)).toEqual(stored);
  });
});

test("a session cache uses no entry of another version than it has read", async () => {
  let isFirst = true;
  const listeners: ChangeListener[] = [];
  const memory = new InMemorySessionCacheStrategy();
  const feed = {
    isUp: () => true,
    listen: (listener: ChangeListener) => void listeners.push(listener),
    close() {},
  };
  const cache = new SessionCache(1001, feed, {
    ttl: 300,
    max: 10,
    strategy: {
      get: (token) => memory.get(token),
      set(session) {
        if (isFirst) memory.set(session);
        isFirst = false;
      },
      delete() {},
      clear() {},
    },
  });
  const [old, current] = [toSnapshot("1"), toSnapshot("2")];
  await cache.read(key, async () => old);
  for (const tell of listeners) tell(`session:1001:${key}`);
  for (let call = 0; call < 2; call++) {
    expect(await cache.read(key, async () => current)).toEqual(current);
  }
});

test("a session cache takes what a strategy kept as JSON", async () => {
  const texts = new Map<string, string>();
  const feed = { isUp: () => true, listen() {}, close() {} };
  const cache = new SessionCache(1001, feed, {
    ttl: 300,
    max: 10,
    strategy: {
      get: (token) => JSON.parse(texts.get(token) ?? "null") ?? undefined,
      set: (session) => void texts.set(session.token, JSON.stringify(session)),
      delete: (token) => void texts.delete(token),
      clear: () => texts.clear(),
    },
  });
  const stored = toSnapshot("1");
  for (let call = 0; call < 2; call++) {
    expect(await cache.read(key, async () => stored)).toEqual(stored);
  }
  texts.set(key, JSON.stringify({ version: "1", cacheExpiry: 1e12, record: 7 }));
  expect(await cache.read(key, async () => stored)).toEqual(stored);
});

describe("a storefront with a cache in memory", () => {
  const { start } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test("sees its own changes at once", async () => {
    const { visitor } = await start({ methods, session: { cache: {} } });
    const user = visitor();
    await user.call("enter");
    await user.call("getUser");
    await user.call("rename");
    expect((await user.call("getUser")).body.user.firstName).toBe("Eve");
    const twin = user.clone();
    await user.call("logout");
    expect((await twin.call("getUser")).body).toEqual({});
  });
});

describe("a session cache's strategies", () => {
  const entry: CachedSession = {
    cacheExpiry: Date.now() / 1000 + 60,
    id: key,
    token: key,
    expires: new Date(Date.now() + 60_000),
    user: { id: 7, identifier: "a@example.com", verified: true, channelPermissions: [] },
    record: toSnapshot("1").value as SessionRecord,
    version: "1",
  };
  const store = openDocumentStore(openDriver({ driver: "memory" }), createTestLog());
  const strategies = {
    InMemorySessionCacheStrategy: new InMemorySessionCacheStrategy({ max: 2 }),
    DefaultSessionCacheStrategy: new DefaultSessionCacheStrategy(store),
  };

  test.each(Object.entries(strategies))(
    "%s sets, gets, deletes and clears",
    async (_, strategy) => {
      expect(await strategy.get(key)).toBeUndefined();
      await strategy.set(entry);
      expect(await strategy.get(key)).toEqual(entry);
      await strategy.delete(key);
      expect(await strategy.get(key)).toBeUndefined();
      await strategy.set(entry);
      await strategy.clear();
      expect(await strategy.get(key)).toBeUndefined();
    },
  );

  test("the one in memory forgets what is used least", () => {
    const strategy = strategies.InMemorySessionCacheStrategy;
    for (const token of ["a", "b", "c"]) strategy.set({ ...entry, token });
    expect(["a", "b", "c"].map((token) => strategy.get(token)?.token)).toEqual([
      undefined,
      "b",
      "c",
    ]);
  });
});

describeWithRedis("two storefronts with caches on one Redis", () => {
  const redis = useRedis();
  const matrix = createMatrix("redis", "request", () => ({ driver: "redis", url: redis().url }));
  let control: Redis;

  beforeEach(() => {
    control = new Redis(redis().url);
  });
  afterEach(() => control.disconnect());

  /** Two servers, and one visitor at both whose session is warm in the second's cache. */
  async function startTwo(session = {}): Promise<{ a: Visitor; b: Visitor }> {
    const storage = { driver: "redis", url: redis().url, base: randomUUID() };
    const config = { methods, session, storage: { session: storage } };
    const [first, second] = [await matrix.start(config), await matrix.start(config)];
    const a = first.visitor();
    await a.call("enter");
    const b = second.visitor();
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

  test("a warm read sends Redis nothing, a cold one a command", async () => {
    const { a, b } = await startTwo();
    expect(await countGets(() => b.call("getUser"))).toBe(0);
    await a.call("rename");
    await until(async () => (await b.call("getUser")).body.user.firstName === "Eve");
    expect(await countGets(() => b.call("getUser"))).toBe(0);
  });

  test.each(["rename", "logout", "endAll"])(
    "%s at one is heard of at the other",
    async (method) => {
      const { a, b } = await startTwo();
      await a.call(method);
      await until(async () => (await b.call("getUser")).body.user?.firstName !== "Ada");
    },
  );

  test("answers are right while the connection for changes is cut again and again", async () => {
    const { a, b } = await startTwo();
    await control.client("KILL", "TYPE", "pubsub");
    await a.call("rename");
    await until(async () => (await b.call("getUser")).body.user?.firstName === "Eve");
    // Also once it is heard of changes again: what came in between has been missed.
    await until(async () => (await countGets(() => b.call("getUser"))) === 0);
    expect((await b.call("getUser")).body.user.firstName).toBe("Eve");
    await control.client("KILL", "TYPE", "pubsub");
    await a.call("endAll");
    await until(async () => (await b.call("getUser")).body.user === undefined);
  });

  test("a Redis that refuses to tell of changes is asked once, and every read goes to it", async () => {
    await control.call("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "resetchannels", "+@all");
    const url = redis().url.replace("redis://", "redis://deaf:pw@");
    const storage = { driver: "redis", url, base: randomUUID() };
    const { lines, visitor } = await matrix.start({ methods, storage: { session: storage } });
    const user = visitor();
    await user.call("enter");
    await until(async () => lines.some(isRefusal));
    for (let call = 0; call < 5; call++) {
      // The session, and the generation of its shop.
      expect(await countGets(() => user.call("getUser"))).toBe(2);
    }
    expect(lines.filter(isRefusal)).toHaveLength(1);
  });

  test("without a cache every read asks Redis", async () => {
    const storage = { driver: "redis", url: redis().url, base: randomUUID() };
    const { visitor } = await matrix.start({
      methods,
      session: { cache: false },
      storage: { session: storage },
    });
    const user = visitor();
    await user.call("enter");
    // The generation of the shop is read with each session until Redis tells of its changes.
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

function fail(): never {
  throw new Error("out of order");
}

/** Changes travel in milliseconds; a machine under load is given a second. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("It did not come to that in time");
    await sleep(2);
  }
}

import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { createStorage, type Driver } from "unstorage";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Rule, UnreadablePolicy } from "../storage/documents.ts";
import { openDriver } from "../storage/driver.ts";
import { openDocumentStore } from "../storage/store.ts";
import { StorageUnavailableError } from "../storage/unavailable.ts";
import { createDirectory, increment, isCounter, openCounters, setTo } from "./_documents.ts";
import type { Counter } from "./_documents.ts";
import { createTestLog } from "./_log.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "./_redis.ts";
import { createMatrix } from "./_setup.ts";
import { Visitor } from "./_visitor.ts";

/** Half a document, an empty file, another program's text, and a document of another shape. */
const spoilt = ['{"version":"x","value":{"cou', "", "hello", '{"version":"x","value":[]}'];

type CreateDriver = () => Promise<Driver>;

describe("memory", () => {
  testUnreadable(async () => openDriver({ driver: "memory" }));
});

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  testUnreadable(async () => openDriver({ driver, base: await createDirectory() }));
});

describeWithRedis("redis", () => {
  const redis = useRedis();
  testUnreadable(async () => openDriver({ driver: "redis", url: redis().url, base: randomUUID() }));
});

describeWithRedis("a value of another Redis type", () => {
  const redis = useRedis();

  test.each<[string, (client: Redis, key: string) => Promise<unknown>]>([
    ["a list", (client, key) => client.lpush(key, "x")],
    ["a hash", (client, key) => client.hset(key, "x", "y")],
    ["a stream", (client, key) => client.xadd(key, "*", "x", "y")],
  ])("is treated like an unreadable text: %s", async (_, write) => {
    const base = randomUUID();
    const driver = openDriver({ driver: "redis", url: redis().url, base });
    const client = driver.getInstance?.() as Redis;
    const { store } = openCounters(driver);
    const key = `${base}:counter:1:a`;
    await write(client, key);
    const type = await client.type(key);
    const refusing = store.collection("counter:1", isCounter, "refuse");
    await expect(refusing.get("a")).rejects.toThrow(StorageUnavailableError);
    await expect(refusing.update("a", increment)).rejects.toThrow(StorageUnavailableError);
    expect(await client.type(key)).toBe(type);
    const keeping = store.collection("counter:1", isCounter, "setAside");
    expect((await keeping.update("a", increment)).value).toEqual({ count: 1 });
    expect(await client.type(`${key}:unreadable`)).toBe(type);
    await client.del(key);
    await write(client, key);
    const dropping = store.collection("counter:1", isCounter, "drop");
    expect((await dropping.get("a")).value).toBeUndefined();
    expect((await dropping.update("a", increment)).value).toEqual({ count: 1 });
  });
});

describeWithRedis("redis cluster", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 30_000);
  afterAll(() => cluster.stop());

  describe.each(["shop", "{shop}"])("below %s", (base) => {
    testPolicies(async () =>
      openDriver({ driver: "redis", cluster: cluster.nodes, base: `${base}-${randomUUID()}` }),
    );
  });
});

function testUnreadable(createDriver: CreateDriver): void {
  testPolicies(createDriver);
  testCalls(createDriver);
}

/** What a collection does with each policy. */
function testPolicies(createDriver: CreateDriver): void {
  async function open(unreadable?: UnreadablePolicy) {
    const driver = await createDriver();
    const { store, lines } = openCounters(driver);
    const counters = store.collection("counter:1", isCounter, unreadable);
    const write = (text: string) => createStorage({ driver }).setItemRaw("counter:1:a", text);
    return { driver, lines, counters, write };
  }

  test("drops an unreadable document by default, and the next write replaces it", async () => {
    const { driver, lines, counters, write } = await open();
    for (const text of spoilt) {
      await write(text);
      expect((await counters.get("a")).value).toBeUndefined();
      expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
    }
    expect(lines.every(({ level }) => level === "warn")).toBe(true);
    expect(await findAside(driver)).toBeUndefined();
  });

  test("moves an unreadable document aside once, and begins it anew", async () => {
    const { driver, lines, counters, write } = await open("setAside");
    for (const text of spoilt) {
      await write(text);
      lines.length = 0;
      expect((await counters.get("a")).value).toBeUndefined();
      expect((await counters.get("a")).value).toBeUndefined();
      expect(lines).toEqual([
        {
          level: "warn",
          message: expect.stringContaining("<key>:unreadable"),
          details: { collection: "counter:1", key: "a" },
        },
      ]);
      expect(await findAside(driver)).toBe(text);
      expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
      expect((await counters.get("a")).value).toEqual({ count: 1 });
      expect(await findAside(driver)).toBe(text);
    }
  });

  test("moves what a write finds unreadable aside, also if it was readable before", async () => {
    const { driver, counters, write } = await open("setAside");
    const read = await counters.update("a", setTo(7));
    await write("spoilt");
    expect((await counters.update("a", increment, read)).value).toEqual({ count: 1 });
    expect(await findAside(driver)).toBe("spoilt");
    await write("spoilt again");
    expect((await counters.update("a", increment)).value).toEqual({ count: 1 });
    expect(await findAside(driver)).toBe("spoilt again");
    await write("spoilt at last");
    expect(await counters.take("a")).toBeUndefined();
    expect(await findAside(driver)).toBe("spoilt at last");
    await counters.update("a", setTo(3));
    expect(await counters.take("a")).toEqual({ count: 3 });
    expect((await counters.get("a")).value).toBeUndefined();
  });

  test("loses no write to one that moves the document aside", async () => {
    const { counters, write } = await open("setAside");
    await write("spoilt");
    const rules: Rule<Counter>[] = Array.from({ length: 10 }, () => increment);
    await Promise.all(
      rules.map(async (rule) => {
        await counters.get("a");
        await counters.update("a", rule);
      }),
    );
    expect((await counters.get("a")).value).toEqual({ count: 10 });
  });

  test("refuses an unreadable document, and leaves it as it is", async () => {
    const { driver, counters, write } = await open("refuse");
    for (const text of spoilt) {
      await write(text);
      for (const call of [
        () => counters.get("a"),
        () => counters.update("a", increment),
        () => counters.take("a"),
      ]) {
        const error: unknown = await call().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StorageUnavailableError);
        expect((error as Error).message).toContain("counter:1:a");
      }
      expect(await readRaw(driver, "counter:1:a")).toBe(text);
    }
    expect(await findAside(driver)).toBeUndefined();
  });
}

/** What a visitor sees of each kind of document. */
function testCalls(createDriver: CreateDriver): void {
  let driver: Driver;
  const { start, allowErrors } = createMatrix("memory", "request", () => driver);
  const ada = { email: "ada@example.com", password: "correct horse battery" };

  /** The one key below a prefix. */
  async function findKey(prefix: string): Promise<string> {
    const keys = (await createStorage({ driver }).getKeys()).filter((key) =>
      key.startsWith(prefix),
    );
    expect(keys).toHaveLength(1);
    return keys[0] as string;
  }

  async function spoil(prefix: string, text = '{"version":"1","va'): Promise<void> {
    await createStorage({ driver }).setItemRaw(await findKey(prefix), text);
  }

  async function begin() {
    driver = await createDriver();
    const { visitor, send, lines } = await start({ session: { cache: false } });
    const user = visitor();
    expect((await user.call("register", ada)).status).toBe(200);
    await user.call("addItemToBasket", { variantId: 1, quantity: 1 });
    await user.call("addItemToWishlist", { variantId: 1 });
    return { user, lines, other: () => new Visitor(send) };
  }

  test("takes an unreadable session for none", async () => {
    const { user, lines } = await begin();
    await spoil("session:1001:");
    const { status, body } = await user.call("getUser");
    expect([status, body]).toEqual([200, {}]);
    expect(lines.at(-1)).toMatchObject({ level: "warn", details: { collection: "session:1001" } });
  });

  test("begins an unreadable basket and wishlist anew, and keeps the old ones", async () => {
    const { user, lines } = await begin();
    await spoil("basket:");
    await spoil("wishlist:");
    expect((await user.call("getBasket")).body.basket.items).toEqual([]);
    expect((await user.call("getWishlist")).body.wishlist.items).toEqual([]);
    const added = await user.call("addItemToBasket", { variantId: 2, quantity: 1 });
    expect(added.body.basket.items).toMatchObject([{ variantId: 2 }]);
    const keys = (await driver.getKeys("", {})).filter((key) => key.includes("unreadable"));
    expect(keys.map((key) => key.replace(/.*?(basket|wishlist).*/, "$1")).toSorted()).toEqual([
      "basket",
      "wishlist",
    ]);
    expect(lines.map(({ level }) => level)).toEqual(["warn", "warn"]);
  });

  const item = { key: "a", variantId: 1, quantity: 1, addedAt: 1 };
  test.each<[string, object]>([
    ["a line that is none", { items: [null], revision: 1 }],
    ["a line without a quantity", { items: [{ ...item, quantity: undefined }], revision: 1 }],
    ["a line of nothing", { items: [{ ...item, variantId: {} }], revision: 1 }],
    ["a line without a date", { items: [{ ...item, addedAt: undefined }], revision: 1 }],
    ["custom data that is none", { items: [{ ...item, customData: "x" }], revision: 1 }],
    ["merges that are none", { items: [item], revision: 1, merged: { a: "x" } }],
    ["another owner that is none", { items: [item], revision: 1, movedTo: 7 }],
  ])("takes a basket and a wishlist for unreadable that are nearly right: %s", async (_, value) => {
    const { user } = await begin();
    const text = JSON.stringify({ version: "1", value });
    await spoil("basket:", text);
    await spoil("wishlist:", text);
    const basket = await user.call("getBasket");
    const wishlist = await user.call("getWishlist");
    expect([basket.status, wishlist.status]).toEqual([200, 200]);
    expect(basket.body.basket.items).toEqual([]);
    expect(wishlist.body.wishlist.items).not.toContain(null);
    const added = await user.call("addItemToBasket", { variantId: 2, quantity: 1 });
    expect(added.status).toBe(200);
  });

  test("begins an unreadable index of a user's sessions anew, so that a login works", async () => {
    const { user, other } = await begin();
    await spoil("user:");
    expect((await other().call("login", ada)).status).toBe(200);
    const keys = await createStorage({ driver }).getKeys("user:");
    expect(keys.filter((key) => key.includes("unreadable"))).toHaveLength(1);
    expect((await user.call("getUser")).body.user).toMatchObject({ email: ada.email });
  });

  test("ends all sessions of a shop if its generation is unreadable, and a login works", async () => {
    const { user } = await begin();
    await spoil("session-generations:");
    // A later server: this one remembers the generation, unless the storage pushes changes.
    const later = await start({ session: { cache: false } });
    const [old, again] = [later.visitor(), later.visitor()];
    for (const [name, value] of user.cookies) old.cookies.set(name, value);
    const { status, body } = await old.call("getUser");
    expect([status, body]).toEqual([200, {}]);
    expect((await again.call("login", ada)).status).toBe(200);
    expect((await again.call("getUser")).body.user).toMatchObject({ email: ada.email });
  });

  test("answers 503 for an unreadable account, and does not let it be registered again", async () => {
    const { other } = await begin();
    allowErrors();
    await spoil("account:");
    expect((await other().call("login", ada)).status).toBe(503);
    expect((await other().call("register", ada)).status).toBe(503);
    expect(await readRaw(driver, await findKey("account:"))).toContain('"va');
  });
}

test("ends a document that was moved aside after 30 days, also in a later process", async () => {
  const base = await createDirectory();
  const { log } = createTestLog();
  const driver = openDriver({ driver: "fs", base });
  const earlier = openDocumentStore(driver, { log });
  await createStorage({ driver }).setItemRaw("counter:1:a", "spoilt");
  await earlier.collection("counter:1", isCounter, "setAside").get("a");
  await earlier.close();
  vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
  try {
    const later = openDriver({ driver: "fs", base });
    const store = openDocumentStore(later, { log });
    vi.setSystemTime(Date.now() + 29 * 86_400_000);
    await sweep();
    expect(await findAside(later)).toBe("spoilt");
    vi.setSystemTime(Date.now() + 2 * 86_400_000);
    await vi.waitFor(async () => {
      await sweep();
      expect(await findAside(later)).toBeUndefined();
    });
    await store.close();
  } finally {
    vi.useRealTimers();
  }
});

async function sweep(): Promise<void> {
  for (let round = 0; round < 12; round++) await vi.advanceTimersByTimeAsync(1000);
}

async function readRaw(driver: Driver, key: string): Promise<string | undefined> {
  const raw = await createStorage({ driver }).getItemRaw<string | Uint8Array | Error>(key);
  // The fs drivers return their errors.
  return raw === null || raw instanceof Error ? undefined : Buffer.from(raw).toString();
}

/** The text that was moved aside from the key `counter:1:a`. */
async function findAside(driver: Driver): Promise<string | undefined> {
  if (driver.name !== "redis") {
    const file = await readRaw(driver, "counter:1:a.unreadable");
    const text = file ?? (await readRaw(driver, "counter:1:a:unreadable"));
    return text === undefined ? undefined : (JSON.parse(text) as { value: string }).value;
  }
  const client = driver.getInstance?.() as {
    isCluster?: boolean;
    get(key: string): Promise<string | null>;
    ttl(key: string): Promise<number>;
  };
  const base = String(driver.options?.base);
  const isTagged = !client.isCluster || base.startsWith("{");
  const key = `${base}:counter:1:a`;
  const aside = isTagged ? `${key}:unreadable` : `{${key}}:unreadable`;
  const text = (await client.get(aside)) ?? undefined;
  if (text !== undefined) expect(await client.ttl(aside)).toBeGreaterThan(29.9 * 86_400);
  return text;
}

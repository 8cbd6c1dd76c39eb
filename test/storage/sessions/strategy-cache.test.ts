import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import type { ChangeListener, Snapshot } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import {
  DefaultSessionCacheStrategy,
  InMemorySessionCacheStrategy,
  type CachedSession,
  type SessionCacheStrategy,
} from "../../../storage/sessions/session-cache-strategy.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { openStrategyCache } from "../../../storage/sessions/strategy-cache.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";

const key = "3f1d0d5e-0000-4000-8000-000000000000";
const path = `session:1001:${key}`;
const ended: Snapshot<SessionRecord> = { value: undefined, version: "" };

const clock = createTestClock();
let changed: ChangeListener;
let stored: Snapshot<SessionRecord>;
let reads = 0;
let cache: ReturnType<typeof openStrategyCache>;

beforeEach(() => {
  reads = 0;
  stored = toSnapshot("1");
});

function toSnapshot(version: string, expiresAt = clock.now() + 60_000): Snapshot<SessionRecord> {
  const value = { id: key, createdAt: 0, handle: "h", ownerKey: "o", customData: { version } };
  return { value, version, expiresAt };
}

const listen = (listener: ChangeListener) => void (changed = listener);
const feed = { isUp: () => false, listen, close() {} };
const openStore = () => openDocumentStore(openDriver({ driver: "memory" }), createTestLog());

function create(strategy: SessionCacheStrategy = new InMemorySessionCacheStrategy()) {
  cache = openStrategyCache(1001, feed, strategy, { ttl: 5, max: 10 }, clock);
}

/** Loads a session as a call does. `meanwhile` runs during the read of the storage. */
async function load(meanwhile: () => unknown = () => {}): Promise<Snapshot<SessionRecord>> {
  const cached = await cache.find(key);
  if (cached !== undefined) return cached;
  const readAt = clock.now();
  const found = stored;
  reads++;
  await meanwhile();
  cache.keep(key, found, readAt);
  return found;
}

/** A strategy in memory, with other methods for some of its own. */
function breakStrategy(broken: Partial<SessionCacheStrategy>): SessionCacheStrategy {
  const memory = new InMemorySessionCacheStrategy();
  return {
    get: (token) => memory.get(token),
    set: (session) => memory.set(session),
    delete: (token) => memory.delete(token),
    clear: () => memory.clear(),
    ...broken,
  };
}

function fail(): never {
  throw new Error("out of order");
}

describe("a session cache with a strategy", () => {
  test("reads the storage once in its ttl", async () => {
    create();
    for (let call = 0; call < 3; call++) expect(await load()).toEqual(stored);
    expect(reads).toBe(1);
    await clock.advance(4.999);
    await load();
    expect(reads).toBe(1);
    await clock.advance(0.001);
    await load();
    expect(reads).toBe(2);
  });

  test("counts the ttl from the beginning of the read", async () => {
    create();
    await load(() => clock.advance(5));
    await load();
    expect(reads).toBe(2);
  });

  test("doesn't use an entry of a session that has expired", async () => {
    create();
    stored = toSnapshot("1", clock.now() + 1000);
    await load();
    await clock.advance(1);
    stored = ended;
    expect(await load()).toEqual(ended);
  });

  test("doesn't use an entry after this process has changed the session", async () => {
    create();
    await load();
    stored = toSnapshot("2");
    changed(path);
    for (let call = 0; call < 2; call++) expect(await load()).toEqual(stored);
  });

  test("doesn't keep an entry that this process changed during its read", async () => {
    create();
    await load(() => {
      stored = toSnapshot("2");
      changed(path);
    });
    expect(await load()).toEqual(stored);
  });

  test("drops the entries of all sessions if this process ends all sessions", async () => {
    create();
    await load();
    stored = ended;
    changed("session-generations:current");
    expect(await load()).toEqual(ended);
  });

  test("isn't affected by changes of another shop's sessions", async () => {
    create();
    await load();
    changed(`session:1002:${key}`);
    await load();
    expect(reads).toBe(1);
  });

  test("uses the entries that another server on the same strategy has read", async () => {
    const strategy = new InMemorySessionCacheStrategy();
    create(strategy);
    await load();
    create(strategy);
    expect(await load()).toEqual(stored);
    expect(reads).toBe(1);
  });

  test.each<[string, Partial<SessionCacheStrategy>]>([
    ["never forgets", { delete: () => {}, clear: () => {} }],
    ["fails to forget", { delete: () => Promise.reject(new Error("no")) }],
    ["throws", { get: fail, set: fail, delete: fail, clear: fail }],
    ["hangs", { get: () => new Promise(() => {}), delete: () => new Promise(() => {}) }],
  ])("revives no session if its strategy %s", async (_, broken) => {
    create(breakStrategy(broken));
    expect(await load()).toEqual(stored);
    stored = ended;
    changed(path);
    for (let call = 0; call < 2; call++) expect(await load()).toEqual(ended);
  });

  test("uses no older entry if its strategy doesn't replace entries", async () => {
    let isFirst = true;
    const memory = new InMemorySessionCacheStrategy();
    const set = (session: CachedSession) => {
      if (isFirst) memory.set(session);
      isFirst = false;
    };
    create({ get: (token) => memory.get(token), set, delete() {}, clear() {} });
    await load();
    stored = toSnapshot("2");
    changed(path);
    for (let call = 0; call < 2; call++) expect(await load()).toEqual(stored);
  });

  test("uses entries that its strategy stores as JSON, if they are valid", async () => {
    const texts = new Map<string, string>();
    create({
      get: (token) => JSON.parse(texts.get(token) ?? "null") ?? undefined,
      set: (session) => void texts.set(session.token, JSON.stringify(session)),
      delete: (token) => void texts.delete(token),
      clear: () => texts.clear(),
    });
    for (let call = 0; call < 2; call++) expect(await load()).toEqual(stored);
    expect(reads).toBe(1);
    texts.set(key, JSON.stringify({ version: "1", cacheExpiry: 1e12, record: 7 }));
    expect(await load()).toEqual(stored);
    expect(reads).toBe(2);
  });
});

describe("an entry that a slow strategy returns", () => {
  /** Runs while the strategy reads an entry. */
  let meanwhile: () => void;

  beforeEach(async () => {
    meanwhile = () => {};
    const memory = new InMemorySessionCacheStrategy();
    const get = async (token: string) => {
      const found = memory.get(token);
      await meanwhile();
      return found;
    };
    create({
      get,
      set: (session) => memory.set(session),
      delete: (token) => memory.delete(token),
      clear: () => memory.clear(),
    });
    await load();
  });

  test("reaches the caller if nothing changed in the meantime", async () => {
    const before = stored;
    stored = ended;
    expect(await load()).toEqual(before);
  });

  test("isn't used if this process ended the session in the meantime", async () => {
    stored = ended;
    meanwhile = () => changed(path);
    expect(await load()).toEqual(ended);
  });

  test("isn't used if any session may have changed in the meantime", async () => {
    stored = ended;
    meanwhile = () => changed(undefined);
    expect(await load()).toEqual(ended);
  });
});

describe("a strategy", () => {
  const entry: CachedSession = {
    cacheExpiry: Date.now() / 1000 + 60,
    token: key,
    expires: new Date(Date.now() + 60_000),
    record: toSnapshot("1").value as SessionRecord,
    version: "1",
  };
  const strategies = {
    InMemorySessionCacheStrategy: new InMemorySessionCacheStrategy({ max: 2 }),
    DefaultSessionCacheStrategy: new DefaultSessionCacheStrategy(openStore()),
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

  test("clears its storage for all servers", async () => {
    const store = openStore();
    onTestFinished(() => store.close());
    const [one, two] = [
      new DefaultSessionCacheStrategy(store),
      new DefaultSessionCacheStrategy(store),
    ];
    await one.set(entry);
    expect(await two.get(key)).toEqual(entry);
    await one.clear();
    expect(await two.get(key)).toBeUndefined();
  });

  test("evicts the least recently used entry in memory", () => {
    const strategy = strategies.InMemorySessionCacheStrategy;
    for (const token of ["a", "b", "c"]) strategy.set({ ...entry, token });
    const tokens = ["a", "b", "c"].map((token) => strategy.get(token)?.token);
    expect(tokens).toEqual([undefined, "b", "c"]);
  });
});

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Driver } from "unstorage";
import { openDriver } from "../../storage/open-driver.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import {
  createVendureSessionCache,
  type CachedSession,
} from "../../adapters/vendure-session-cache.ts";
import { brokenDriver, describeOnStorages, describeWithPeers, readAll } from "../_adapters.ts";
import { until } from "../_documents.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { startProcess } from "../_process.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";

afterEach(() => void vi.useRealTimers());

type Options = Parameters<typeof createVendureSessionCache>[0];

function open(options: Options) {
  const cache = createVendureSessionCache({ log: createTestLog().log, ...options });
  onTestFinished(() => cache.destroy());
  return cache;
}

function createSession(session: Partial<CachedSession> = {}): CachedSession {
  const now = Date.now();
  return {
    cacheExpiry: now / 1000 + 300,
    id: 1,
    token: randomBytes(32).toString("hex"),
    expires: new Date(now + 86_400_000),
    activeOrderId: "7",
    authenticationStrategy: "native",
    user: {
      id: 2,
      identifier: "ada@example.com",
      verified: true,
      channelPermissions: [{ id: 1, token: "channel", permissions: ["Authenticated"] }],
    },
    ...session,
  };
}

describeOnStorages("a session cache for Vendure", (createStorage) => {
  test("returns sessions unchanged, dates included", async () => {
    const cache = open({ storage: createStorage() });
    const session = createSession();
    expect(await cache.get(session.token)).toBeUndefined();
    await cache.set(session);
    expect(await cache.get(session.token)).toEqual(session);
    const changed = { ...session, activeOrderId: "8" };
    await cache.set(changed);
    expect(await cache.get(session.token)).toEqual(changed);
  });

  test("stores no token", async () => {
    const storage = createStorage();
    const cache = open({ storage });
    const session = createSession();
    await cache.set(session);
    const before = await readAll(storage);
    expect(before).toContain("ada@example.com");
    expect(before).not.toContain(session.token);
    await cache.delete(session.token);
    const after = await readAll(storage);
    expect(after).not.toContain("ada@example.com");
    expect(after).not.toContain(session.token);
  });

  test("expires an entry with its session, or after the ttl", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const cache = open({ storage: createStorage(), ttl: 60 });
    const start = Date.now();
    const short = createSession({ expires: new Date(start + 10_000) });
    const long = createSession();
    await Promise.all([cache.set(short), cache.set(long)]);
    for (const [session, end] of [
      [short, 10_000],
      [long, 60_000],
    ] as const) {
      vi.setSystemTime(start + end - 1);
      expect(await cache.get(session.token)).toEqual(session);
      vi.setSystemTime(start + end);
      expect(await cache.get(session.token)).toBeUndefined();
    }
  });

  test("doesn't cache a deleted session again", async () => {
    const storage = createStorage();
    const [one, two] = [open({ storage }), open({ storage })];
    const session = createSession();
    await one.set(session);
    await two.delete(session.token);
    expect(await one.get(session.token)).toBeUndefined();
    await one.set(session);
    expect(await two.get(session.token)).toBeUndefined();
    const unseen = createSession();
    await two.delete(unseen.token);
    await one.set(unseen);
    expect(await one.get(unseen.token)).toBeUndefined();
  });

  test("clears all entries for every process, and then caches again", async () => {
    const storage = createStorage();
    const [one, two] = [open({ storage }), open({ storage })];
    const sessions = Array.from({ length: 5 }, () => createSession());
    await Promise.all(sessions.map((session) => one.set(session)));
    await two.clear();
    for (const cache of [one, two]) {
      const found = await Promise.all(sessions.map(({ token }) => cache.get(token)));
      expect(found).toEqual(sessions.map(() => undefined));
    }
    const [session = createSession()] = sessions;
    await one.set(session);
    expect(await two.get(session.token)).toEqual(session);
  });

  test("opens again after it was destroyed", async () => {
    const cache = open({ storage: createStorage() });
    const session = createSession();
    await cache.destroy();
    await cache.set(session);
    expect(await cache.get(session.token)).toEqual(session);
  });
});

describe("a session cache for Vendure", () => {
  test("breaks no login and reports no logout if the storage fails", async () => {
    const { log, lines } = createTestLog();
    const cache = open({ storage: brokenDriver, log });
    const session = createSession();
    expect(await cache.get(session.token)).toBeUndefined();
    await cache.set(session);
    expect(lines.map(({ level }) => level)).toEqual(["warn", "warn"]);
    expect(JSON.stringify(lines)).not.toContain(session.token);
    await expect(cache.delete(session.token)).rejects.toThrow(StorageUnavailableError);
    await expect(cache.clear()).rejects.toThrow(StorageUnavailableError);
  });

  test.each(["delete", "clear"] as const)("repeats a %s that failed", async (end) => {
    const memory = openDriver({ driver: "memory" });
    let isDown = false;
    const getItem: Driver["getItem"] = (...args) => {
      if (isDown) throw new Error("out of order");
      return memory.getItem(...args);
    };
    const cache = open({ storage: { ...memory, getItem, getItemRaw: getItem } });
    const session = createSession();
    await cache.set(session);
    isDown = true;
    await expect(cache[end](session.token)).rejects.toThrow(StorageUnavailableError);
    isDown = false;
    expect(await cache.get(session.token)).toEqual(session);
    await until(async () => (await cache.get(session.token)) === undefined);
  });

  test("rejects invalid options", () => {
    expect(() => createVendureSessionCache({ storage: { driver: "Redis" } })).toThrow("redis?");
    for (const ttl of [0, -1, Number.NaN]) {
      expect(() => createVendureSessionCache({ storage: { driver: "memory" }, ttl })).toThrow(
        "ttl",
      );
    }
  });
});

describeWithPeers("a Vendure server", () => {
  describeWithRedis("with its session cache in Redis", () => {
    const redis = useRedis();
    let folder: string;
    let vendure: Vendure;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "storefront-vendure-"));
      vendure = await startVendure(redis().url, folder);
      await vendure.query(
        `mutation { registerCustomerAccount(input: { emailAddress: "ada@example.com", password: "correct horse" }) { __typename } }`,
      );
    }, 60_000);
    afterAll(async () => {
      await vendure?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const storage = () => ({ driver: "redis", url: redis().url });

    test("caches a login, without its token", async () => {
      const { token } = await vendure.login();
      expect(await open({ storage: storage() }).get(token)).toMatchObject({
        token,
        expires: expect.any(Date),
        user: { identifier: "ada@example.com" },
      });
      const all = await readAll(storage());
      expect(all).toContain("ada@example.com");
      expect(all).not.toContain(token);
    });

    test.each(["bearer", "cookie"] as const)(
      "knows a %s again after a restart",
      async (by) => {
        const login = await vendure.login();
        expect(await vendure.whoAmI(login[by])).toBe("ada@example.com");
        await vendure.stop();
        vendure = await startVendure(redis().url, folder);
        const cached = await open({ storage: storage() }).get(login.token);
        expect(cached?.user?.identifier).toBe("ada@example.com");
        expect(await vendure.whoAmI(login[by])).toBe("ada@example.com");
      },
      60_000,
    );

    test("uses the cache until it is cleared", async () => {
      const { token, bearer } = await vendure.login();
      const cache = open({ storage: storage() });
      const { user: _, ...guest } = (await cache.get(token)) as CachedSession;
      await cache.set(guest);
      expect(await vendure.whoAmI(bearer)).toBeUndefined();
      await cache.clear();
      expect(await vendure.whoAmI(bearer)).toBe("ada@example.com");
      // Vendure has read it from its database, and cached it again.
      expect((await cache.get(token))?.user?.identifier).toBe("ada@example.com");
    });

    test("reads its database if a session was deleted, and doesn't cache it again", async () => {
      const { token, bearer } = await vendure.login();
      const cache = open({ storage: storage() });
      await cache.delete(token);
      expect(await vendure.whoAmI(bearer)).toBe("ada@example.com");
      expect(await cache.get(token)).toBeUndefined();
    });

    test("ends a session by a logout, also if a call has just read it", async () => {
      const { token, bearer } = await vendure.login();
      const cache = open({ storage: storage() });
      const session = (await cache.get(token)) as CachedSession;
      await vendure.query("mutation { logout { success } }", bearer);
      expect(await cache.get(token)).toBeUndefined();
      await cache.set(session);
      expect(await cache.get(token)).toBeUndefined();
      expect(await vendure.whoAmI(bearer)).toBeUndefined();
    });
  });
});

type Vendure = Awaited<ReturnType<typeof startVendure>>;
type Headers = Readonly<Record<string, string>>;

async function startVendure(redisUrl: string, folder: string) {
  const peers = fileURLToPath(new URL("../peers", import.meta.url));
  const server = await startProcess(["vendure.mjs"], {
    cwd: peers,
    env: {
      VENDURE_DISABLE_TELEMETRY: "true",
      TEST_REDIS_URL: redisUrl,
      TEST_DATABASE: join(folder, "vendure.sqlite"),
    },
  });
  return { stop: server.stop, query, login, whoAmI };

  async function query(text: string, headers: Headers = {}) {
    const response = await server.send("/shop-api", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query: text }),
    });
    return { response, data: ((await response.json()) as { data: Data | null }).data };
  }

  async function login(): Promise<{ token: string; bearer: Headers; cookie: Headers }> {
    const { response } = await query(
      `mutation { login(username: "ada@example.com", password: "correct horse") { __typename } }`,
    );
    const token = response.headers.get("vendure-auth-token") ?? "";
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    const cookies = response.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
    return {
      token,
      bearer: { authorization: `Bearer ${token}` },
      cookie: { cookie: cookies.join("; ") },
    };
  }

  async function whoAmI(headers: Headers): Promise<string | undefined> {
    return (await query("{ me { identifier } }", headers)).data?.me?.identifier;
  }
}

interface Data {
  readonly me?: { readonly identifier: string } | null;
}

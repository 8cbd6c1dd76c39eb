import { randomUUID } from "node:crypto";
import type { Driver } from "unstorage";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openDriver, type StorageConfig } from "../storage/driver.ts";
import { createFaultyDriver, type Operation } from "./_faulty-driver.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";
import { createMatrix, type TestStorefront } from "./_setup.ts";
import { Visitor } from "./_visitor.ts";
import { as, trustingAuth } from "./fixtures/ground.ts";
import { testMethods } from "./fixtures/methods.ts";

const token = "an-admin-token-of-more-than-32-characters";
const second = 1000;

/** Sessions end 60 s after their last use, so a tenth of that is 6 s; three of a user may be active. */
const config = {
  auth: {
    ...trustingAuth,
    changeEmail: async ({ email }: { email: string }) => ({ id: 7, email }),
  },
  methods: testMethods,
  admin: { token },
  session: { maxAge: 60, renewAfter: 3600, maxSessionsPerUser: 3 },
};

/** Two devices of one user, and the server that they are at. */
interface Scene {
  readonly server: TestStorefront;
  readonly lost: Visitor;
  readonly other: Visitor;
}

/** Each kind of end, asked for by another device of the user, or by an operator, of the device `lost`. */
const ends: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  logout: ({ lost }) => lost.call("logout"),
  revokeSession: async ({ other }) => other.call("revokeSession", { handle: handleOfLost }),
  logoutEverywhere: ({ other }) => other.call("logoutEverywhere"),
  "logoutEverywhere after a new login": async ({ server }) => {
    const next = server.visitor();
    await next.call("login", as(7));
    return next.call("logoutEverywhere");
  },
  updatePassword: ({ other }) =>
    other.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" }),
  updateEmail: ({ other }) => other.call("updateEmail", { email: "8@example.com" }),
  destroySessionsForUserId: ({ server }) => server.visitor().call("endSessions", { userId: 7 }),
  endUserSessions: ({ server }) => ask(server, "endUserSessions", { userId: 7 }),
  endAllSessions: ({ server }) => ask(server, "endAllSessions"),
  "logins beyond the limit": async ({ server }) => {
    vi.setSystemTime(Date.now() + 1);
    for (const _ of [1, 2, 3]) await server.visitor().call("login", as(7));
  },
};
let handleOfLost = "";

/** What holds after a piece is gone: the device is out at once, or at its next use after a tenth of the idle time. */
const rows: readonly [
  piece: string,
  key: string,
  atOnce: readonly string[],
  later: readonly string[],
][] = [
  ["the generations", "session-generations:current", Object.keys(ends), []],
  ["the count of ends", "session-revocations:current", Object.keys(ends), []],
  [
    "the user's index",
    "user:default:7",
    ["logout", "endAllSessions"],
    Object.keys(ends).filter((end) => end !== "logout" && end !== "endAllSessions"),
  ],
];

describe("on memory", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = openDriver({ driver: "memory" });
  });
  tests(createMatrix("memory", "request", () => driver).start, () => driver);
});

describe("the look for a session in its user's index", () => {
  const faulty = createFaultyDriver();
  const { start } = createMatrix("memory", "request", () => faulty.driver);
  afterEach(() => {
    vi.useRealTimers();
  });

  test("is made once in a tenth of the idle time, also near the absolute timeout", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { visitor } = await start({
      ...config,
      session: { ...config.session, absoluteTimeout: 70 },
    });
    const device = visitor();
    await device.call("login", as(7));
    for (const _ of [1, 2, 3, 4, 5]) {
      vi.setSystemTime(Date.now() + 7 * second);
      const before = faulty.operations.length;
      await device.call("getUser");
      expect(faulty.operations.slice(before).some(isOfIndex)).toBe(true);
      await device.call("getUser");
      const settled = faulty.operations.length;
      await device.call("getUser");
      expect(faulty.operations.slice(settled).filter(isOfIndex)).toEqual([]);
    }
  });
});

describeWithRedis("on Redis", () => {
  const redis = useRedis();
  let storage: StorageConfig;
  let raw: Driver;
  beforeEach(() => {
    storage = { driver: "redis", url: redis().url, base: randomUUID() };
    raw = openDriver(storage);
  });
  afterEach(() => raw.dispose?.());
  tests(createMatrix("redis", "request", () => storage).start, () => raw);
});

function tests(start: (given: typeof config) => Promise<TestStorefront>, raw: () => Driver): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function begin(): Promise<Scene> {
    const server = await start(config);
    const [lost, other] = [server.visitor(), server.visitor()];
    for (const device of [lost, other]) await device.call("login", as(7));
    const { sessions } = (await lost.call("listSessions")).body;
    handleOfLost = sessions.find(({ current }: { current: boolean }) => current).handle;
    // The count of ends is there once any user's sessions were all ended.
    await ask(server, "endUserSessions", { userId: 99 });
    return { server, lost, other };
  }

  /** Loses a piece. The memory driver tells no server of that, so another one starts. */
  async function lose(scene: Scene, key: string, how: string): Promise<Scene> {
    const read = raw().getItemRaw ?? raw().getItem;
    const write = raw().setItemRaw ?? raw().setItem;
    expect(await read(key, {})).toBeTruthy();
    if (how === "deleted") await raw().removeItem?.(key, {});
    else await write?.(key, how === "cut" ? '{"version":"a","val' : "[]", {});
    if (key.startsWith("user:")) return scene;
    const server = await start(config);
    return { server, lost: twinAt(server, scene.lost), other: twinAt(server, scene.other) };
  }

  describe.each(rows)("when %s is lost", (_, key, atOnce, later) => {
    test.each(atOnce)("a session ends at once by %s", async (end) => {
      for (const how of ["deleted", "cut", "of another shape"]) {
        const scene = await lose(await begin(), key, how);
        await ends[end]?.(scene);
        expect(await isLoggedIn(scene.lost), how).toBe(false);
        vi.setSystemTime(Date.now() + 7 * second);
        expect(await isLoggedIn(scene.lost), how).toBe(false);
        await expectNewLogin(scene.server);
        await raw().removeItem?.("user:default:7", {});
      }
    });

    if (later.length === 0) return;
    test.each(later)("a session ends within a tenth of its idle time by %s", async (end) => {
      for (const how of ["deleted", "cut", "of another shape"]) {
        const scene = await lose(await begin(), key, how);
        await ends[end]?.(scene);
        vi.setSystemTime(Date.now() + 6 * second);
        expect(await isLoggedIn(scene.lost), how).toBe(false);
        expect(await isLoggedIn(scene.lost), how).toBe(false);
        await expectNewLogin(scene.server);
        await raw().removeItem?.("user:default:7", {});
      }
    });
  });

  describe("when the user's index is lost", () => {
    test.each(["logoutEverywhere", "logoutEverywhere after a new login", "endUserSessions"])(
      "%s says that it may be incomplete, in its answer and in the log",
      async (end) => {
        const scene = await lose(await begin(), "user:default:7", "deleted");
        const answer = await ends[end]?.(scene);
        expect(answer).toMatchObject({ status: 200, body: { complete: false } });
        expect(await isLoggedIn(scene.other)).toBe(
          end === "logoutEverywhere after a new login" || end === "endUserSessions",
        );
        const warnings = scene.server.lines.filter(({ message }) =>
          message.includes("because their index was lost"),
        );
        expect(warnings).toMatchObject([{ level: "warn" }]);
        const again = await ask(scene.server, "endUserSessions", { userId: 7 });
        expect(again.body).toEqual({ ended: 0, complete: false });
        // No session that the lost index named can be active any more.
        vi.setSystemTime(Date.now() + 61 * second);
        const last = await ask(scene.server, "endUserSessions", { userId: 7 });
        expect(last.body).toEqual({ ended: 0 });
      },
    );

    test.each(["updatePassword", "updateEmail", "destroySessionsForUserId"])(
      "%s says in the log that it may be incomplete",
      async (end) => {
        const scene = await lose(await begin(), "user:default:7", "deleted");
        const answer = await ends[end]?.(scene);
        if (end.startsWith("update")) {
          const body = { code: "session_changed", executed: true };
          expect(answer).toMatchObject({ status: 409, body, setCookies: [] });
        }
        const warnings = scene.server.lines.filter(({ message }) =>
          message.includes("because their index was lost"),
        );
        expect(warnings).toMatchObject([{ level: "warn" }]);
      },
    );

    test("the end of the shop closes the rest at once", async () => {
      const scene = await lose(await begin(), "user:default:7", "deleted");
      await ends["logoutEverywhere after a new login"]?.(scene);
      await ends["endAllSessions"]?.(scene);
      expect(await isLoggedIn(scene.lost)).toBe(false);
    });

    test("a session that is never used again ends with its idle time", async () => {
      const scene = await lose(await begin(), "user:default:7", "deleted");
      vi.setSystemTime(Date.now() + 60 * second);
      expect(await isLoggedIn(scene.lost)).toBe(false);
    });

    test("a session that was found unnamed makes later ends say so, on every server", async () => {
      const scene = await lose(await begin(), "user:default:7", "deleted");
      const elsewhere = await start(config);
      await elsewhere.visitor().call("login", as(7));
      vi.setSystemTime(Date.now() + 6 * second);
      expect(await isLoggedIn(scene.lost)).toBe(false);
      const { body } = await ask(elsewhere, "endUserSessions", { userId: 7 });
      expect(body).toEqual({ ended: 1, complete: false });
    });

    test("a server that has only seen a session of the user knows that it is lost", async () => {
      const scene = await begin();
      const elsewhere = await start(config);
      expect(await isLoggedIn(twinAt(elsewhere, scene.lost))).toBe(true);
      await lose(scene, "user:default:7", "deleted");
      const { body } = await ask(elsewhere, "endUserSessions", { userId: 7 });
      expect(body).toEqual({ ended: 0, complete: false });
    });

    test("a session ends in time although its absolute timeout leaves nothing to extend", async () => {
      const session = { ...config.session, absoluteTimeout: 70 };
      const server = await start({ ...config, session });
      const device = server.visitor();
      await device.call("login", as(7));
      vi.setSystemTime(Date.now() + 20 * second);
      expect(await isLoggedIn(device)).toBe(true);
      await raw().removeItem?.("user:default:7", {});
      vi.setSystemTime(Date.now() + 6 * second);
      expect(await isLoggedIn(device)).toBe(false);
    });

    test("a session ends at once if its old ID is used again long after a renewal", async () => {
      const session = { ...config.session, maxAge: 3600, renewAfter: 60 };
      const server = await start({ ...config, session });
      const device = server.visitor();
      await device.call("login", as(7));
      const thief = device.clone();
      vi.setSystemTime(Date.now() + 61 * second);
      await device.call("getUser");
      await device.call("getUser");
      expect(device.sessionId).not.toBe(thief.sessionId);
      await raw().removeItem?.("user:default:7", {});
      vi.setSystemTime(Date.now() + 31 * second);
      expect(await isLoggedIn(thief)).toBe(false);
      expect(await isLoggedIn(device)).toBe(false);
      expect(server.lines.map(({ message }) => message)).toContainEqual(
        expect.stringContaining("used after it had been replaced"),
      );
    });

    test("a write that finds it out is refused before it runs", async () => {
      const scene = await lose(await begin(), "user:default:7", "deleted");
      vi.setSystemTime(Date.now() + 6 * second);
      const answer = await scene.lost.call("note", { late: true });
      expect(answer).toMatchObject({
        status: 409,
        body: { code: "session_ended" },
        setCookies: [],
      });
    });
  });

  test("an index that ended in the usual way is not taken for a lost one", async () => {
    const { server, lost, other } = await begin();
    await lost.call("logout");
    await other.call("logout");
    const next = server.visitor();
    await next.call("login", as(7));
    expect((await next.call("logoutEverywhere")).body).toEqual({ ended: 1 });
    await next.call("login", as(7));
    vi.setSystemTime(Date.now() + 61 * second);
    await next.call("login", as(7));
    expect((await next.call("logoutEverywhere")).body).toEqual({ ended: 1 });
  });
}

// --- Internal helpers ---

function isOfIndex({ key }: Operation): boolean {
  return key.startsWith("user:");
}

function twinAt({ send }: TestStorefront, { cookies }: Visitor): Visitor {
  const twin = new Visitor(send);
  for (const [name, value] of cookies) twin.cookies.set(name, value);
  return twin;
}

async function isLoggedIn(visitor: Visitor): Promise<boolean> {
  return (await visitor.call("getUser")).body.user !== undefined;
}

async function expectNewLogin({ visitor }: TestStorefront): Promise<void> {
  const next = visitor();
  expect((await next.call("login", as(7))).status).toBe(200);
  expect(await isLoggedIn(next)).toBe(true);
}

async function ask({ send }: TestStorefront, call: string, payload?: unknown) {
  const response = await send(`/api/admin/${call}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ payload }),
  });
  return { status: response.status, body: await response.json() };
}

import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import {
  createCountingSystem,
  openCall,
  openGrantServer,
  type CountingSystem,
  type TestGrant,
} from "../../fixtures/grant-calls.ts";
import { trustingAuth } from "../../fixtures/trusting-auth.ts";
import { readStored } from "../../fixtures/stored.ts";

type Server = ReturnType<typeof openGrantServer>;

describe("grants of one server", () => {
  describeGrants(() => ({ driver: "memory" }));
});

describeWithRedis("grants of two servers on Redis", () => {
  const redis = useRedis();
  describeGrants(() => ({ driver: "redis", url: redis().url, base: randomUUID() }), true);
});

function describeGrants(toStorage: () => StorageConfig, hasTwo = false): void {
  const start = (system: CountingSystem, extra = {}) =>
    startServers(hasTwo ? 2 : 1, toStorage(), { grants: system.grants, ...extra });

  test("begins a grant once for all parallel calls of a guest", async () => {
    const system = createCountingSystem();
    const { first, servers } = start(system);
    const { session, id } = await openCall(first);
    await session.write((record) => record);
    const calls = await tenCalls(servers, id());
    const grants = await Promise.all(calls.map(({ grants: own }) => own.obtain()));
    expect(system.begun).toBe(1);
    expect(new Set(grants.map((grant) => (grant as TestGrant).token))).toEqual(
      new Set(["begun-1"]),
    );
  });

  test("stores the session of a new guest before the grant begins", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { session, grants } = await openCall(first);
    let hadSession = false;
    system.before = () => (hadSession = session.id !== undefined);
    await grants.obtain();
    expect(hadSession).toBe(true);
    const next = await openCall(first, session.id);
    expect(await next.grants.obtain()).toEqual({ token: "begun-1" });
  });

  test("renews an expired grant once for all parallel calls", async () => {
    const system = createCountingSystem();
    const { first, servers } = start(system);
    const { id, grants } = await openCall(first);
    system.lasts = 0;
    await grants.obtain();
    system.lasts = 60_000;
    const calls = await tenCalls(servers, id());
    const renewed = await Promise.all(calls.map(({ grants: own }) => own.obtain()));
    expect(system.renewed).toBe(1);
    for (const grant of renewed) expect(grant).toMatchObject({ token: "renewed-1" });
  });

  test("renews a grant once that the system has rejected before its time", async () => {
    const system = createCountingSystem();
    const { first, servers } = start(system);
    const { id, grants } = await openCall(first);
    const rejected = await grants.obtain();
    const calls = await tenCalls(servers, id());
    const renewed = await Promise.all(calls.map(({ grants: own }) => own.obtain({ rejected })));
    expect(system.renewed).toBe(1);
    for (const grant of renewed) expect(grant).toEqual({ token: "renewed-1" });
  });

  test("keeps the grant and the login if a renewal fails, and renews it later", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { id, grants, logIn } = await openCall(first);
    await logIn(7);
    system.lasts = 0;
    await grants.put({ token: "login", expiresAt: 1 } as TestGrant);
    system.before = () => {
      throw new Error("The system is down");
    };
    const failing = await openCall(first, id());
    await expect(failing.grants.obtain()).rejects.toThrow("The system is down");
    system.before = () => undefined;
    const next = await openCall(first, id());
    expect(next.session.isLoggedIn).toBe(true);
    // The counting system has not issued it, so this is a clear refusal.
    await expect(next.grants.obtain()).rejects.toMatchObject({ code: "session_ended" });
  });

  test("ends the session of a user if the system rejects the renewal of the grant", async () => {
    const system = createCountingSystem();
    const { first, servers } = start(system);
    const { id, grants, logIn } = await openCall(first);
    await grants.obtain();
    await logIn(7);
    await grants.put({ token: "login", expiresAt: 1 } as TestGrant);
    const user = id();
    const calls = await tenCalls(servers, user);
    const refused = await Promise.allSettled(calls.map(({ grants: own }) => own.obtain()));
    for (const { status, reason } of refused as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(reason).toMatchObject({ status: 409, code: "session_ended", executed: true });
    }
    expect((await first.shop.sessions.lookUp(user)).state).toBe("ended");
    expect((await first.shop.sessions.users.read(7)).sessions).toEqual({});
  });

  test("begins another grant for a guest whose grant the system has forgotten", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { id, grants } = await openCall(first);
    const rejected = await grants.obtain();
    system.hasForgotten = true;
    const next = await openCall(first, id());
    expect(await next.grants.obtain({ rejected })).toEqual({ token: "begun-2" });
    expect((await first.shop.sessions.lookUp(id())).state).toBe("active");
  });

  test("finishes a renewal whose client has left, because a rotated token would be lost", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { id, grants } = await openCall(first);
    const rejected = await grants.obtain();
    const leaving = await openCall(first, id());
    system.before = () => leaving.abort();
    await expect(leaving.grants.obtain({ rejected })).rejects.toThrow("The client has left");
    const next = await openCall(first, id());
    expect(await next.grants.obtain({ rejected })).toEqual({ token: "renewed-1" });
  });

  test("issues no grant to a user whose login gave none, if the system has the accounts", async () => {
    const system = createCountingSystem();
    const { first } = start(system, { accounts: trustingAuth });
    const { grants, logIn } = await openCall(first);
    await logIn(7);
    await expect(grants.obtain()).rejects.toMatchObject({ code: "session_ended" });
    expect(system.begun).toBe(0);
  });

  test("keeps the grants of a guest and of the user who logs in apart", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { grants, logIn } = await openCall(first);
    expect(await grants.obtain()).toEqual({ token: "begun-1" });
    await logIn(7);
    await grants.put({ token: "login" } as TestGrant);
    expect(await grants.obtain()).toEqual({ token: "login" });
  });

  test("rejects a grant that isn't a JSON object or is too large", async () => {
    const system = createCountingSystem();
    const { first } = start(system);
    const { grants } = await openCall(first);
    await grants.obtain();
    await expect(grants.put("token" as never)).rejects.toThrow("A grant is an object");
    const part = { token: "a", ids: new Set(["b"]) } as TestGrant;
    await expect(grants.put(part)).rejects.toThrow('"ids" is a Set');
    const large = { token: "x".repeat(20_000) } as TestGrant;
    await expect(grants.put(large)).rejects.toThrow("Expected at most 16384");
  });

  test("stores a grant encrypted, under the session's handle, for a day after it", async () => {
    const system = createCountingSystem();
    const storage = toStorage();
    const driver = openDriver(storage);
    const first = openGrantServer(driver, { grants: system.grants });
    const { grants, session } = await openCall(first);
    await grants.obtain();
    const stored = await readStored(driver, "commerce-grant:");
    expect(stored.map(({ key }) => key)).toEqual([
      `commerce-grant:1001:${session.current?.record.handle}`,
    ]);
    const text = JSON.stringify(stored);
    expect(text).not.toContain("begun-1");
    expect(text).not.toContain(session.id);
    const { expiresAt } = JSON.parse(stored[0]?.text ?? "{}") as { expiresAt: number };
    const end = session.current?.expiresAt ?? 0;
    expect(Math.abs(expiresAt - end - 86_400_000)).toBeLessThan(5000);
  });
}

describe("a stored grant", () => {
  test("can be decrypted for its own session only", async () => {
    const system = createCountingSystem();
    const driver = openDriver({ driver: "memory" });
    const { first } = startServers(1, driver, { grants: system.grants });
    const { grants } = await openCall(first);
    await grants.obtain();
    const thief = await openCall(first);
    await thief.session.write((record) => record);
    const [{ text } = { text: "" }] = await readStored(driver, "commerce-grant:");
    const key = `commerce-grant:1001:${thief.session.current?.record.handle}`;
    await driver.setItemRaw?.(key, text, {});
    expect(await thief.grants.find()).toBeUndefined();
    expect(await thief.grants.obtain()).toEqual({ token: "begun-2" });
  });
});

// --- Internal helpers ---

/** Servers on one storage, before one commerce system. */
function startServers(
  count: number,
  storage: StorageConfig,
  commerce: Parameters<typeof openGrantServer>[1],
) {
  const servers = Array.from({ length: count }, () => openGrantServer(storage, commerce));
  return { first: servers[0] as Server, servers };
}

/** Ten parallel calls of one session, on all servers. */
function tenCalls(servers: readonly Server[], id: string) {
  return Promise.all(
    Array.from({ length: 10 }, (_, at) => openCall(servers[at % servers.length] as Server, id)),
  );
}

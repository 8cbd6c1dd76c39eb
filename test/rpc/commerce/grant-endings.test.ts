import { expect, onTestFinished, test, vi } from "vitest";
import type { Grants } from "../../../rpc/commerce/commerce-backend.ts";
import { commit } from "../../../rpc/session/commit.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { systemClock } from "../../../storage/clock.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { describeLastingStorages } from "../../_lasting-storages.ts";
import {
  createCountingSystem,
  openCall,
  openGrantServer,
  sweepsOf,
  type CountingSystem,
  type TestGrant,
} from "../../fixtures/grant-calls.ts";
import { readStored } from "../../fixtures/stored.ts";

type Server = ReturnType<typeof openGrantServer>;
type UserCall = Awaited<ReturnType<typeof openCall>>;

describeLastingStorages("the ends of sessions", (createStorage) => {
  const ends: Record<string, (call: UserCall, other: UserCall) => unknown> = {
    "a logout": ({ session }) => session.context.destroySession(),
    "the end of one session by another": ({ session }, other) =>
      other.session.context.sessions.end(7, session.current?.record.handle ?? ""),
    "the end of all sessions": ({ session }) => session.context.sessions.endAll(7),
    "the end of all other sessions": ({ session }, other) =>
      other.session.context.destroySessionsForUserId(7, [other.id()]).then(() => void session),
    "a new login": ({ logIn }) => logIn(8),
  };

  test.each(Object.entries(ends))("end the grant after %s", async (_, end) => {
    const system = createCountingSystem();
    const server = open(createStorage(), system);
    const other = await logInUser(server, "other");
    await end(await logInUser(server, "login"), other);
    await expect.poll(() => system.ended).toContain("login");
  });

  test("end the grant of the session that exceeds the limit of a user", async () => {
    const system = createCountingSystem();
    const server = open(createStorage(), system, {}, { session: { maxSessionsPerUser: 2 } });
    await logInUser(server, "first");
    await logInUser(server, "second");
    await logInUser(server, "third");
    expect(system.ended).toEqual(["first"]);
  });

  test("end the grants of a whole shop by a new generation", async () => {
    const system = createCountingSystem();
    const server = open(createStorage(), system);
    await logInUser(server, "login");
    const guest = await openCall(server);
    await guest.grants.obtain();
    server.sweep();
    await expect.poll(() => sweepsOf(server)).toBeGreaterThan(0);
    await server.shop.generations.advance([1001]);
    server.sweep();
    await expect.poll(() => system.ended.toSorted()).toEqual(["begun-1", "login"]);
  });

  test("end the grant after an outage of the system, also on another server", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = open(storage, system);
    const user = await logInUser(server, "login");
    system.before = () => {
      throw new Error("connect ECONNREFUSED");
    };
    await user.session.context.destroySession();
    expect((await server.shop.sessions.users.read(7)).sessions).toEqual({});
    await server.close();
    const next = open(storage, system);
    next.sweep();
    await expect.poll(() => next.lines.map(({ message }) => message)).toContain(retried);
    expect(system.ended).toEqual([]);
    system.before = () => undefined;
    next.sweep();
    await expect.poll(() => system.ended).toEqual(["login"]);
    await expect
      .poll(async () => {
        next.sweep();
        return (await dueEntries(storage)).filter((entry) => entry.endsWith("!"));
      })
      .toEqual([]);
    expect(system.ended).toEqual(["login"]);
  });

  test("log one line for all failures of a sweep, without a grant", async () => {
    const system = createCountingSystem();
    const server = open(createStorage(), system);
    const users = await Promise.all(
      Array.from({ length: 30 }, () => logInUser(server, "secret-token")),
    );
    system.before = () => {
      throw new Error("Unknown token secret-token");
    };
    await Promise.all(users.map(({ session }) => session.context.destroySession()));
    server.sweep();
    const warnings = () => server.lines.filter(({ level }) => level === "warn");
    await expect.poll(() => warnings().length).toBe(1);
    expect(warnings()[0]).toMatchObject({ message: retried, details: { shopId: 1001, count: 30 } });
    expect(JSON.stringify(server.lines).includes("secret-token")).toBe(false);
  });

  test("end the grant of a session that expired while no server ran", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = open(storage, system);
    const guest = await openCall(server);
    await guest.grants.obtain();
    const end = guest.session.current?.expiresAt ?? 0;
    await logInUser(server, "login");
    await server.close();
    useTime(end + 3_600_000);
    const next = open(storage, system);
    for (const sweeper of next.services.sweepers) sweeper.start();
    await expect.poll(() => system.ended, { timeout: 5000 }).toContain("begun-1");
    await expect.poll(() => system.ended.toSorted()).toEqual(["begun-1", "login"]);
    await expect.poll(() => dueEntries(storage)).toEqual([]);
  });

  test("keep the grant of a session that a call has extended", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = open(storage, system);
    const guest = await openCall(server);
    await guest.grants.obtain();
    const { expiresAt = 0 } = guest.session.current ?? {};
    useTime(expiresAt - 60_000);
    const later = await openCall(server, guest.id());
    await commit(later.session);
    expect(later.session.current?.expiresAt).toBeGreaterThan(expiresAt);
    useTime(expiresAt + 60_000);
    const before = (await dueEntries(storage))[0];
    server.sweep();
    await expect.poll(async () => (await dueEntries(storage))[0]).not.toBe(before);
    expect(system.ended).toEqual([]);
    useTime((later.session.current?.expiresAt ?? 0) + 60_000);
    expect(await documentsOf(storage, "commerce-grant:")).toHaveLength(1);
    server.sweep();
    await expect.poll(() => system.ended).toEqual(["begun-1"]);
  });

  test("end the grants of the user's last session only, if the system ends all", async () => {
    const system = createCountingSystem();
    const server = open(createStorage(), system, { endsAll: true });
    const first = await logInUser(server, "first");
    const second = await logInUser(server, "second");
    await first.session.context.destroySession();
    expect(system.ended).toEqual([]);
    const guest = await openCall(server);
    await guest.grants.obtain();
    await guest.session.context.destroySession();
    expect(system.ended).toEqual(["begun-1"]);
    await second.session.context.destroySession();
    expect(system.ended).toEqual(["begun-1", "second"]);
    server.sweep();
    await expect.poll(() => system.ended).toEqual(["begun-1", "second", "first"]);
  });

  test("wait for a call that is renewing the grant, and end the new one", async () => {
    const system = createCountingSystem();
    const server = open(createStorage(), system);
    const guest = await openCall(server);
    const rejected = await guest.grants.obtain();
    let end: Promise<void> | undefined;
    system.before = (request) => {
      if (request !== "renew") return undefined;
      end = guest.session.context.destroySession();
      return new Promise((resolve) => setTimeout(resolve, 200));
    };
    const other = await openCall(server, guest.id());
    expect(await other.grants.obtain({ rejected })).toEqual({ token: "renewed-1" });
    await end;
    expect(system.ended).toEqual(["renewed-1"]);
    // Its session has ended, so it gets no other one.
    await expect(other.grants.obtain()).rejects.toMatchObject({ code: "session_ended" });
    expect(system.begun).toBe(1);
  });

  test("write nothing for an expiry that comes after the system's own", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = open(storage, system, { lifetime: 60 });
    const guest = await openCall(server);
    await guest.grants.obtain();
    expect(await documentsOf(storage, "commerce-due:")).toEqual([]);
    await guest.session.context.destroySession();
    expect(system.ended).toEqual(["begun-1"]);
  });

  test("write nothing if the system can't end grants", async () => {
    const { grants } = createCountingSystem();
    const storage = createStorage();
    const server = openGrantServer(storage, { grants: { begin: grants.begin } });
    const guest = await openCall(server);
    await guest.grants.obtain();
    await guest.session.context.destroySession();
    for (const sweeper of server.services.sweepers) sweeper.start();
    expect(await documentsOf(storage, "commerce-due:")).toEqual([]);
  });

  test("run one sweep at a time on all servers", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const servers = [open(storage, system), open(storage, system), open(storage, system)];
    const [first] = servers as [Server];
    for (let count = 0; count < 30; count++) await (await openCall(first)).grants.obtain();
    const guest = await openCall(first);
    await guest.grants.obtain();
    useTime((guest.session.current?.expiresAt ?? 0) + 5000);
    for (const { sweep } of servers) sweep();
    await expect.poll(() => system.ended.length, { timeout: 5000 }).toBe(31);
    await Promise.all(servers.map(({ close }) => close()));
    expect(new Set(system.ended).size).toBe(31);
    expect(system.ended).toHaveLength(31);
  });

  test("start no sweep on a closed server, and abort the attempt that runs", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = open(storage, system);
    const user = await logInUser(server, "login");
    const barrier = new Barrier();
    system.before = () => barrier.pass();
    // So only the end of the server ends the wait for the system.
    const { signal } = new AbortController();
    const limits = vi.spyOn(systemClock, "timeout").mockReturnValue(signal);
    onTestFinished(() => limits.mockRestore());
    const ending = user.session.context.destroySession();
    await barrier.reached;
    await server.close();
    await ending;
    system.before = () => undefined;
    server.sweep();
    const other = createCountingSystem();
    open(storage, other).sweep();
    await expect.poll(() => other.ended, { timeout: 5000 }).toEqual(["login"]);
    expect(system.ended).toEqual([]);
  });
});

// --- Internal helpers ---

const retried =
  "The commerce system has not ended the sessions that have ended here; the next sweep tries again";

function open(
  storage: StorageConfig,
  system: CountingSystem,
  grants: Partial<Grants<TestGrant>> = {},
  config: Partial<StorefrontConfig> = {},
): Server {
  return openGrantServer(storage, { grants: { ...system.grants, ...grants } }, config);
}

/** A session of user 7 with a grant. */
async function logInUser(server: Server, token: string): Promise<UserCall> {
  const user = await openCall(server);
  await user.logIn(7);
  await user.grants.put({ token } as TestGrant);
  return user;
}

/** Lets the server believe that it is another time. */
function useTime(now: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now });
  onTestFinished(() => void vi.useRealTimers());
}

async function documentsOf(storage: StorageConfig, prefix: string) {
  const driver = openDriver(storage);
  try {
    return await readStored(driver, prefix);
  } finally {
    if (typeof storage === "object" && driver !== storage) await driver.dispose?.();
  }
}

async function dueEntries(storage: StorageConfig): Promise<string[]> {
  return (await documentsOf(storage, "commerce-due:")).flatMap(({ value }) => value as string[]);
}

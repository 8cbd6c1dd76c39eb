import { expect, test } from "vitest";
import { createFaultyDriver, type FaultyDriver } from "../../_faulty-driver.ts";
import {
  createCountingSystem,
  openCall,
  openGrantServer,
  sweepsOf,
  type TestGrant,
} from "../../fixtures/grant-calls.ts";

type UserCall = Awaited<ReturnType<typeof openCall>>;

const ends: Record<string, (call: UserCall) => Promise<unknown>> = {
  "a logout": ({ session }) => session.context.destroySession(),
  "the end of all sessions": ({ session }) => session.context.sessions.endAll(7),
  "the end of one session": ({ session }) =>
    session.context.sessions.end(7, session.current?.record.handle ?? ""),
};

test.each(Object.entries(ends))(
  "a server that crashes at any step of %s leaves no grant behind",
  async (_, end) => {
    const outcomes = await Promise.all(
      Array.from({ length: mostSteps }, (_step, steps) => crash(end, steps)),
    );
    // The session survives the early crashes, and has ended from some step on.
    expect(outcomes.map(({ isActive }) => (isActive ? "a" : "e")).join("")).toMatch(/^a+e+$/);
    for (const { isActive, ended } of outcomes) expect(ended).toEqual(isActive ? [] : ["login"]);
    expect(outcomes.at(-1)?.hasCrashed).toBe(false);
  },
  90_000,
);

// --- Internal helpers ---

/** More than any end has. */
const mostSteps = 35;

/** Ends a session on a server that crashes after some operations, and then starts another server. */
async function crash(end: (call: UserCall) => Promise<unknown>, steps: number) {
  const system = createCountingSystem();
  const faulty = createFaultyDriver();
  // The storage outlives the server.
  const storage = { ...faulty.driver, dispose() {} };
  const server = openGrantServer(storage, { grants: system.grants });
  // Its sweep would add operations, at any time.
  for (const sweeper of server.services.sweepers) sweeper.start = () => {};
  const user = await openCall(server);
  await user.logIn(7);
  await user.grants.put({ token: "login" } as TestGrant);
  // The system is down for the crashed server, so that only the other one can end the grant.
  system.before = () => {
    throw new Error("connect ECONNREFUSED");
  };
  const { handle } = user.session.current?.record ?? { handle: "" };
  const isCrashed = crashAfter(faulty, steps);
  await end(user).catch(() => undefined);
  const hasCrashed = isCrashed();
  await server.close();
  faulty.heal();
  system.before = () => undefined;
  const other = openGrantServer(storage, { grants: system.grants });
  const { sessions } = await other.shop.sessions.users.read(7);
  const isActive = Object.hasOwn(sessions, handle);
  other.sweep();
  // If the server crashed while it held the grant's lease, the other one waits for 10 seconds.
  const isSettled = async () => (isActive ? (await sweepsOf(other)) > 0 : system.ended.length > 0);
  await expect.poll(isSettled, { timeout: 50_000 }).toBe(true);
  return { isActive, hasCrashed, ended: system.ended };
}

/**
 * Fails all operations after some, as if the server had crashed.
 * @returns whether it has crashed by now
 */
function crashAfter(faulty: FaultyDriver, steps: number): () => boolean {
  let count = 0;
  faulty.before = () => {
    if (count++ >= steps) throw new Error("crashed");
  };
  return () => count > steps;
}

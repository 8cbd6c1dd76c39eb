import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RpcContext } from "../../rpc/context.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { Barrier } from "../_faulty-driver.ts";
import { describeStorages } from "../_setup.ts";
import { retired } from "../_sessions.ts";
import { createSlow, enter, note, read, timeout, timeUp, user } from "../fixtures/slow-calls.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => void vi.useRealTimers());

describeStorages("a call that exceeds its timeout", ({ start, allowErrors }) => {
  test("responds with 504 and aborts the signal", async () => {
    allowErrors();
    let signal: AbortSignal | undefined;
    const slow = createSlow(({ signal: own }) => (signal = own));
    const { client, lines } = await start({
      methods: { slow: slow.method() },
    });
    const answer = await timeUp(slow.barrier, client().call("slow"));
    expect(answer).toMatchObject(timeout);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(signal?.reason).toMatchObject({ name: "TimeoutError" });
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { details: { method: "slow", shopId: 1001, instance: answer.body.instance } },
    ]);
    slow.barrier.open();
    expect(await slow.finished).toBe("late");
    expect((await client().call("slow")).body).toBe("late");
  });

  test("responds with 504 for a public method, and gives a late reader an aborted signal", async () => {
    allowErrors();
    const barrier = new Barrier();
    const reasons: unknown[] = [];
    const slow = defineRpcMethod({
      access: "public",
      readOnly: true,
      async handler(_, context) {
        await barrier.pass();
        reasons.push(context.signal.reason);
      },
    });
    const { client } = await start({ methods: { slow } });
    const answer = await timeUp(barrier, client().request("/de/api/rpc/slow"));
    expect(answer).toMatchObject(timeout);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    barrier.open();
    await vi.waitUntil(() => reasons.length > 0);
    expect(reasons).toMatchObject([{ name: "TimeoutError" }]);
  });

  test("keeps an earlier login of the call", async () => {
    allowErrors();
    const slow = createSlow((context) => context.createUserBoundSession(user));
    const { client } = await start({ methods: { slow: slow.method(), note } });
    const browser = client();
    await browser.call("note");
    const guest = browser.clone();
    expect(await timeUp(slow.barrier, browser.call("slow"))).toMatchObject(timeout);
    expect((await browser.call("getUser")).body).toEqual({ user });
    expect(await guest.call("getUser")).toMatchObject(retired);
    slow.barrier.open();
  });

  test("keeps an earlier logout of the call", async () => {
    allowErrors();
    const slow = createSlow((context) => context.destroySession());
    const { client } = await start({ methods: { slow: slow.method(), enter } });
    const browser = client();
    await browser.call("enter");
    const thief = browser.clone();
    expect(await timeUp(slow.barrier, browser.call("slow"))).toMatchObject(timeout);
    expect(browser.cookies.size).toBe(0);
    expect((await thief.call("getUser")).body).toEqual({});
    slow.barrier.open();
  });

  test("saves no later change of the handler", async () => {
    allowErrors();
    const slow = createSlow((context) => {
      context.updateCustomData({ late: 2 } as object);
      context.updateUser({ ...user, firstName: "Ada" });
    });
    const { client } = await start({
      methods: { slow: slow.method(), enter, note, read },
    });
    const browser = client();
    await browser.call("enter");
    await browser.call("note");
    expect(await timeUp(slow.barrier, browser.call("slow"))).toMatchObject(timeout);
    slow.barrier.open();
    expect(await slow.finished).toBe("late");
    // A call that writes runs after any write that the late call started.
    await browser.call("note");
    expect((await browser.call("read")).body).toEqual({ note: 1 });
    expect((await browser.call("getUser")).body).toEqual({ user });
  });

  const writes: [what: string, write: (context: RpcContext) => unknown][] = [
    ["log in", (context) => context.createUserBoundSession({ id: 8 })],
    ["log out", (context) => context.destroySession()],
    ["end the user's sessions", (context) => context.destroySessionsForUserId(7)],
    ["end one of them", (context) => revoke(context)],
    ["change the password", (context) => context.callRpc("updatePassword", passwords)],
    ["change the basket", (context) => context.callRpc("addItemToBasket", line)],
    ["begin a session", (context) => context.callRpc("addItemToBasket", line)],
  ];

  test.each(writes)("cannot %s any more", async (what, write) => {
    allowErrors();
    const slow = createSlow();
    const { client } = await start({
      methods: { slow: slow.method(write), enter, read },
      auth: {
        login: () => Promise.resolve(user),
        register: () => Promise.resolve(user),
        changePassword: () => Promise.resolve(true),
      },
    });
    const browser = client();
    if (what !== "begin a session") await browser.call("enter");
    const before = browser.sessionId;
    expect(await timeUp(slow.barrier, browser.call("slow"))).toMatchObject(timeout);
    slow.barrier.open();
    expect(await slow.finished).toMatchObject({ code: "timeout" });
    expect(browser.sessionId).toBe(before);
    expect((await browser.call("getBasket")).body.basket.items).toEqual([]);
    const left = before === undefined ? {} : { user };
    expect((await browser.call("getUser")).body).toEqual(left);
  });
});

// --- Internal helpers ---

const line = { variantId: 7, quantity: 1 };
const passwords = { oldPassword: "correct horse", newPassword: "battery staple" };

/** Ends the session of the call by its handle. */
async function revoke({ callRpc }: RpcContext): Promise<unknown> {
  const { sessions } = await callRpc<{ sessions: { handle: string }[] }>("listSessions");
  return callRpc("revokeSession", { handle: sessions[0]?.handle });
}

import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as endOfTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RpcContext } from "../../rpc/context.ts";
import { defineRpcMethod } from "../../rpc/method.ts";
import { Deadlines } from "../../server/deadline.ts";
import { createFaultyDriver, Gate, hold } from "../_faulty-driver.ts";
import { createMatrix, describeMatrix } from "../_setup.ts";
import type { Answer } from "../_visitor.ts";
import { retired } from "../_sessions.ts";

const user = { id: 7 };
const ada = { email: "ada@example.com", password: "correct horse" };
const timeout = {
  status: 504,
  body: { type: "about:blank", title: "The call took too long", status: 504, code: "timeout" },
};

/** A method that does something, and goes on when the gate opens. */
function createSlow(act: (context: RpcContext) => unknown = () => undefined) {
  const gate = new Gate();
  let finish: (value: unknown) => void;
  const finished = new Promise((resolve) => (finish = resolve));
  return {
    gate,
    /** What came of what was done after the gate. */
    finished,
    method: (after: (context: RpcContext) => unknown = () => "late") =>
      defineRpcMethod({
        async handler(_, context) {
          await act(context);
          await gate.pass();
          const late = Promise.resolve().then(() => after(context));
          finish(late.catch((error: unknown) => error));
          return late;
        },
      }),
  };
}

/** Waits until a call is at its gate, and lets the time go by that a call may take. */
async function timeUp(gate: Gate, answer: Promise<Answer>): Promise<Answer> {
  await gate.reached;
  vi.advanceTimersByTime(31_000);
  return answer;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => void vi.useRealTimers());

const enter = defineRpcMethod({
  handler: async (_, context) => void (await context.createUserBoundSession(user)),
});
const note = defineRpcMethod({
  handler: (_, context) => context.updateCustomData({ note: 1 } as object),
});
const read = defineRpcMethod({ handler: (_, { customData }) => customData });

describeMatrix("a call that takes too long", ({ start, allowErrors }) => {
  test("is answered with 504, and its signal aborts", async () => {
    allowErrors();
    let signal: AbortSignal | undefined;
    const slow = createSlow(({ signal: own }) => (signal = own));
    const { visitor, lines } = await start({
      methods: { slow: slow.method() },
    });
    const answer = await timeUp(slow.gate, visitor().call("slow"));
    expect(answer).toMatchObject(timeout);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(signal?.reason).toMatchObject({ name: "TimeoutError" });
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { details: { method: "slow", shopId: 1001, instance: answer.body.instance } },
    ]);
    slow.gate.open();
    expect(await slow.finished).toBe("late");
    expect((await visitor().call("slow")).body).toBe("late");
  });

  test("of a public method is, too; a signal that is asked for late has aborted", async () => {
    allowErrors();
    const gate = new Gate();
    const reasons: unknown[] = [];
    const slow = defineRpcMethod({
      access: "public",
      readOnly: true,
      async handler(_, context) {
        await gate.pass();
        reasons.push(context.signal.reason);
      },
    });
    const { visitor } = await start({ methods: { slow } });
    const answer = await timeUp(gate, visitor().request("/de/api/rpc/slow"));
    expect(answer).toMatchObject(timeout);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    gate.open();
    await vi.waitUntil(() => reasons.length > 0);
    expect(reasons).toMatchObject([{ name: "TimeoutError" }]);
  });

  test("keeps the login that it made before", async () => {
    allowErrors();
    const slow = createSlow((context) => context.createUserBoundSession(user));
    const { visitor } = await start({ methods: { slow: slow.method(), note } });
    const browser = visitor();
    await browser.call("note");
    const guest = browser.clone();
    expect(await timeUp(slow.gate, browser.call("slow"))).toMatchObject(timeout);
    expect((await browser.call("getUser")).body).toEqual({ user });
    expect(await guest.call("getUser")).toMatchObject(retired);
    slow.gate.open();
  });

  test("keeps the logout that it made before", async () => {
    allowErrors();
    const slow = createSlow((context) => context.destroySession());
    const { visitor } = await start({ methods: { slow: slow.method(), enter } });
    const browser = visitor();
    await browser.call("enter");
    const thief = browser.clone();
    expect(await timeUp(slow.gate, browser.call("slow"))).toMatchObject(timeout);
    expect(browser.cookies.size).toBe(0);
    expect((await thief.call("getUser")).body).toEqual({});
    slow.gate.open();
  });

  test("changes nothing any more, though it goes on", async () => {
    allowErrors();
    const slow = createSlow((context) => {
      context.updateCustomData({ late: 2 } as object);
      context.updateUser({ ...user, firstName: "Ada" });
    });
    const { visitor } = await start({
      methods: { slow: slow.method(), enter, note, read },
    });
    const browser = visitor();
    await browser.call("enter");
    await browser.call("note");
    expect(await timeUp(slow.gate, browser.call("slow"))).toMatchObject(timeout);
    slow.gate.open();
    expect(await slow.finished).toBe("late");
    // A call that writes comes after what the late one might have begun to write.
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
    const { visitor } = await start({
      methods: { slow: slow.method(write), enter, read },
      auth: {
        login: () => Promise.resolve(user),
        register: () => Promise.resolve(user),
        changePassword: () => Promise.resolve(true),
      },
    });
    const browser = visitor();
    if (what !== "begin a session") await browser.call("enter");
    const before = browser.sessionId;
    expect(await timeUp(slow.gate, browser.call("slow"))).toMatchObject(timeout);
    slow.gate.open();
    expect(await slow.finished).toMatchObject({ code: "timeout" });
    expect(browser.sessionId).toBe(before);
    expect((await browser.call("getBasket")).body.basket.items).toEqual([]);
    const left = before === undefined ? {} : { user };
    expect((await browser.call("getUser")).body).toEqual(left);
  });
});

const memory = () => ({ driver: "memory" });

describe("the time of a call", () => {
  const { start, allowErrors } = createMatrix("memory", "request", memory);
  const server = createMatrix("memory", "server", memory);

  test("lets no method begin once it has passed", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const handler = vi.fn();
    const methods = { enter, act: defineRpcMethod({ handler }) };
    const { visitor } = await start({ methods, storage: { session: faulty.driver } });
    const browser = visitor();
    await browser.call("enter");
    const gate = hold(faulty, "before", "read session:");
    expect(await timeUp(gate, browser.call("act"))).toMatchObject(timeout);
    gate.open();
    expect((await browser.call("getUser")).body).toEqual({ user });
    expect(handler).not.toHaveBeenCalled();
  });

  test("lets no method begin whose payload came too late", async () => {
    allowErrors();
    const handler = vi.fn();
    const { app } = await start({
      methods: { act: defineRpcMethod({ access: "public", handler }) },
    });
    let end!: () => void;
    const body = new ReadableStream({
      start: (controller) => void (end = () => controller.close()),
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const answer = app.fetch(new Request("http://localhost/de/api/rpc/act", init));
    vi.advanceTimersByTime(31_000);
    expect((await answer).status).toBe(504);
    end();
    await endOfTurn();
    await endOfTurn();
    expect(handler).not.toHaveBeenCalled();
  });

  test("makes no account once it has passed", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { visitor } = await start({ storage: { account: faulty.driver } });
    const gate = hold(faulty, "before", "read account:");
    expect(await timeUp(gate, visitor().call("register", ada))).toMatchObject(timeout);
    gate.open();
    // What is asked of the same account next waits for what is under way.
    const other = { ...ada, password: "another horse" };
    expect((await visitor().call("register", other)).status).toBe(200);
  });

  test("changes no password once it has passed", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { visitor } = await start({ storage: { account: faulty.driver } });
    const browser = visitor();
    await browser.call("register", ada);
    const passwords = { oldPassword: ada.password, newPassword: "battery staple" };
    const gate = new Gate();
    let reads = 0;
    // Once the passwords are hashed, the account is read again to be changed.
    faulty.before = ({ kind, key }) =>
      kind === "read" && key.startsWith("account:") && ++reads === 2 ? gate.pass() : undefined;
    const answer = await timeUp(gate, browser.call("updatePassword", passwords));
    expect(answer).toMatchObject(timeout);
    gate.open();
    await new Promise(setImmediate);
    expect((await visitor().call("login", ada)).status).toBe(200);
  });

  test("covers an upload that never ends, whose connection is closed", async () => {
    vi.useRealTimers();
    server.allowErrors();
    const { send } = await server.start({ callTimeout: 1 });
    const { url } = await send("/healthz", {});
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.write(
      "POST /de/api/rpc/getUser HTTP/1.1\r\nhost: localhost\r\n" +
        'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"payload"',
    );
    await once(socket, "end");
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 504 /);
    expect(text).toContain('"code":"timeout"');
  });

  test("its signal aborts when the client goes away, and the call goes on", async () => {
    const slow = createSlow();
    const aborted = slow.method(async ({ signal, updateCustomData }) => {
      if (!signal.aborted) await once(signal, "abort");
      updateCustomData({ note: 1 } as object);
      return signal.reason.name;
    });
    const { send, visitor } = await server.start({ methods: { aborted, read, note } });
    const browser = visitor();
    await browser.call("note");
    const leaving = new AbortController();
    const headers = { "content-type": "application/json", cookie: browser.cookieHeader };
    const init = { method: "POST", headers, body: "{}", signal: leaving.signal };
    const answer = send("/de/api/rpc/aborted", init);
    await slow.gate.reached;
    slow.gate.open();
    leaving.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(await slow.finished).toBe("AbortError");
  });

  test("one timer looks after all calls", async () => {
    const request = { signal: new AbortController().signal };
    const deadlines = new Deadlines(10);
    const first = deadlines.begin(request);
    const finished = deadlines.begin(request);
    vi.advanceTimersByTime(5000);
    const second = deadlines.begin(request);
    expect(vi.getTimerCount()).toBe(1);
    const passed = () =>
      [first, finished, second].map(({ signal }) => (signal.aborted ? "passed" : "runs"));
    vi.advanceTimersByTime(4999);
    expect(passed()).toEqual(["runs", "runs", "runs"]);
    expect(await finished.wait(Promise.resolve(1))).toBe(1);
    deadlines.end(finished);
    vi.advanceTimersByTime(1000);
    expect(passed()).toEqual(["passed", "runs", "runs"]);
    expect(() => first.assertInTime()).toThrow("took too long");
    expect(() => second.assertInTime()).not.toThrow();
    vi.advanceTimersByTime(5000);
    expect(passed()).toEqual(["passed", "runs", "passed"]);
    deadlines.stop();
    expect(vi.getTimerCount()).toBe(0);
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

import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as endOfTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { Deadlines } from "../../server/deadline.ts";
import { systemClock } from "../../storage/clock.ts";
import { createFaultyDriver, Barrier, hold } from "../_faulty-driver.ts";
import { createSetup } from "../_setup.ts";
import {
  ada,
  createSlow,
  enter,
  note,
  read,
  timeout,
  timeUp,
  user,
} from "../fixtures/slow-calls.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => void vi.useRealTimers());

const memory = () => ({ driver: "memory" });

// Fake timers replace the global functions only.
vi.mock("node:timers", async (importActual) => ({
  ...(await importActual<object>()),
  setInterval: (...args: Parameters<typeof setInterval>) => globalThis.setInterval(...args),
  clearInterval: (timer: NodeJS.Timeout) => globalThis.clearInterval(timer),
}));

describe("the timeout of a call", () => {
  const { start, allowErrors } = createSetup("memory", "request", memory);
  const server = createSetup("memory", "server", memory);

  test("starts no handler after the timeout", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const handler = vi.fn();
    const methods = { enter, act: defineRpcMethod({ handler }) };
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const browser = client();
    await browser.call("enter");
    const barrier = hold(faulty, "before", "read session:");
    expect(await timeUp(barrier, browser.call("act"))).toMatchObject(timeout);
    barrier.open();
    expect((await browser.call("getUser")).body).toEqual({ user });
    expect(handler).not.toHaveBeenCalled();
  });

  test("starts no handler if the payload arrives after the timeout", async () => {
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

  test("creates no account after the timeout", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { client } = await start({ storage: { account: faulty.driver } });
    const barrier = hold(faulty, "before", "read account:");
    expect(await timeUp(barrier, client().call("register", ada))).toMatchObject(timeout);
    barrier.open();
    // The next operation on the account waits for the one in progress.
    const other = { ...ada, password: "another horse" };
    expect((await client().call("register", other)).status).toBe(200);
  });

  test("changes no password after the timeout", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { client } = await start({ storage: { account: faulty.driver } });
    const browser = client();
    await browser.call("register", ada);
    const passwords = { oldPassword: ada.password, newPassword: "battery staple" };
    const barrier = new Barrier();
    let reads = 0;
    // Once the passwords are hashed, the account is read again to be changed.
    faulty.before = ({ kind, key }) =>
      kind === "read" && key.startsWith("account:") && ++reads === 2 ? barrier.pass() : undefined;
    const answer = await timeUp(barrier, browser.call("updatePassword", passwords));
    expect(answer).toMatchObject(timeout);
    barrier.open();
    await new Promise(setImmediate);
    expect((await client().call("login", ada)).status).toBe(200);
  });

  test("includes an endless upload, and closes its connection", async () => {
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

  test("aborts the signal when the client disconnects, and the call continues", async () => {
    const slow = createSlow();
    const aborted = slow.method(async ({ signal, updateCustomData }) => {
      if (!signal.aborted) await once(signal, "abort");
      updateCustomData({ note: 1 } as object);
      return signal.reason.name;
    });
    const { send, client } = await server.start({ methods: { aborted, read, note } });
    const browser = client();
    await browser.call("note");
    const leaving = new AbortController();
    const headers = { "content-type": "application/json", cookie: browser.cookieHeader };
    const init = { method: "POST", headers, body: "{}", signal: leaving.signal };
    const answer = send("/de/api/rpc/aborted", init);
    await slow.barrier.reached;
    slow.barrier.open();
    leaving.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(await slow.finished).toBe("AbortError");
  });

  test("uses one timer for all calls", async () => {
    const request = new Request("http://localhost/");
    const deadlines = new Deadlines(10, systemClock);
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

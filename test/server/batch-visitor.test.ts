import { once } from "node:events";
import { setImmediate as endOfTick } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestClock } from "../../server/testing/test-clock.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { tokenHeader } from "../_client.ts";
import { createSetup, describeStorages } from "../_setup.ts";
import { sendBatch } from "../fixtures/batches.ts";
import { testMethods } from "../fixtures/methods.ts";
import { createSlow, note, read, timeout } from "../fixtures/slow-calls.ts";

afterEach(() => void vi.useRealTimers());

describeStorages("a batch whose first call renews the session's ID", ({ start }) => {
  test("sets one cookie, and leaves the old ID valid if the client never gets the response", async () => {
    const session = { maxAge: 86_400, renewAfter: 3600 };
    const clock = createTestClock();
    const { client } = await start({ methods: testMethods, session }, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    const lossy = user.clone();
    await clock.advance(3600);
    const calls = [
      { method: "getUser" },
      { method: "note", payload: { colour: "red" } },
      { method: "notes" },
    ];
    const { body, setCookies } = await sendBatch(user, calls);
    expect(setCookies).toHaveLength(1);
    expect(body[2].body).toEqual({ colour: "red" });
    expect(user.sessionId).not.toBe(lossy.sessionId);
    // Without a use of the new ID, the old one has no end.
    await clock.advance(60);
    expect((await lossy.call("getUser")).body.user).toMatchObject({ id: 7 });
    expect((await user.call("notes")).body).toEqual({ colour: "red" });
  });
});

describeStorages("a batch with a bearer token", ({ start }) => {
  test("begins one session, and issues one token", async () => {
    const { client } = await start({ methods: testMethods, session: { tokenMethod: "bearer" } });
    const calls = [
      { method: "note", payload: { a: 1 } },
      { method: "note", payload: { b: 2 } },
      { method: "notes" },
    ];
    const first = await sendBatch(client(), calls);
    expect(first.body[2].body).toEqual({ a: 1, b: 2 });
    expect(first.setCookies).toEqual([]);
    const authorization = `Bearer ${first.headers.get(tokenHeader)}`;
    const second = await sendBatch(client(), calls.slice(2), { authorization });
    expect(second.body).toEqual([{ status: 200, body: { a: 1, b: 2 } }]);
    expect(second.headers.has(tokenHeader)).toBe(false);
  });

  test("issues a cookie and a token for the same session if the shop has both", async () => {
    const tokenMethod = ["cookie", "bearer"] as const;
    const { client } = await start({ methods: testMethods, session: { tokenMethod } });
    const guest = client();
    const calls = [
      { method: "note", payload: { a: 1 } },
      { method: "note", payload: { b: 2 } },
    ];
    const { headers, setCookies } = await sendBatch(guest, calls);
    expect(setCookies).toHaveLength(1);
    const authorization = `Bearer ${headers.get(tokenHeader)}`;
    const ways: Record<string, string>[] = [{}, { authorization, cookie: "a=b" }];
    for (const more of ways) {
      expect((await sendBatch(guest, [{ method: "notes" }], more)).body[0].body).toEqual({
        a: 1,
        b: 2,
      });
    }
  });
});

describe("a batch of calls that take 10 ms each", () => {
  const { start } = createSetup("memory", "alone", () => ({ driver: "memory" }));

  test("lets other requests run between its calls", async () => {
    const order: string[] = [];
    const work = defineRpcMethod({
      handler() {
        order.push("call");
        if (order.length === 1) setTimeout(() => order.push("other"));
        const end = performance.now() + 10;
        while (performance.now() < end);
      },
    });
    const { client } = await start({ methods: { work } });
    await sendBatch(
      client(),
      Array.from({ length: 5 }, () => ({ method: "work" })),
    );
    expect(order.slice(0, 3)).toEqual(["call", "other", "call"]);
  });
});

describe("the timeout of a batch", () => {
  const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  });

  test("ends the running call, writes nothing more, and starts no further call", async () => {
    allowErrors();
    const slow = createSlow((context) => context.updateCustomData({ late: 1 } as object));
    const { client, lines } = await start({ methods: { note, read, slow: slow.method() } });
    const visitor = client();
    const calls = ["note", "slow", "note", "unknown"].map((method) => ({ method }));
    const answer = sendBatch(visitor, calls);
    await slow.barrier.reached;
    vi.advanceTimersByTime(31_000);
    const { status, body, setCookies } = await answer;
    expect([status, setCookies.length]).toEqual([200, 1]);
    expect(body[0]).toEqual({ status: 204 });
    expect(body[1]).toMatchObject(timeout);
    expect(body[1].body.executed).toBeUndefined();
    for (const late of body.slice(2)) {
      expect(late).toMatchObject({ status: 504, body: { code: "timeout", executed: false } });
    }
    slow.barrier.open();
    await slow.finished;
    await endOfTick();
    expect((await visitor.call("read")).body).toEqual({ note: 1 });
    const failed = lines.filter(({ level }) => level === "error").map(({ details }) => details);
    expect(failed.map((details) => details?.["method"])).toEqual(["slow", "note", undefined]);
  });

  test("covers the time of all calls together", async () => {
    allowErrors();
    let seconds = 0;
    const wait = defineRpcMethod({
      async handler(_, { signal }) {
        await endOfTick();
        vi.advanceTimersByTime(10_500);
        seconds += 10.5;
        if (seconds > 30 && !signal.aborted) await once(signal, "abort");
      },
    });
    const { client } = await start({ methods: { wait } });
    const calls = Array.from({ length: 4 }, () => ({ method: "wait" }));
    const { body } = await sendBatch(client(), calls);
    expect(body.map(({ status }: { status: number }) => status)).toEqual([204, 204, 504, 504]);
    expect(seconds).toBe(31.5);
  });
});

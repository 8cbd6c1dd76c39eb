import { expect, test } from "vitest";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { line, withKey } from "../../fixtures/counting-methods.ts";
import { as } from "../../fixtures/trusting-auth.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { describeTwoServers, type TwoServers } from "../../fixtures/two-servers.ts";
import type { CookieClient } from "../../_cookie-client.ts";

describeTwoServers("calls with one Idempotency-Key on two servers", (servers: TwoServers) => {
  let runs: number;
  let barrier: Barrier;
  /** Runs after the barrier of the first run. */
  let first: () => unknown;

  /** A guest with a session, at both servers. */
  async function enter(callTimeout = 30): Promise<[CookieClient, CookieClient]> {
    runs = 0;
    barrier = new Barrier();
    first = () => undefined;
    const order = defineRpcMethod({
      async handler(_, { customData, updateCustomData }) {
        const run = ++runs;
        const { orders = 0 } = customData as { orders?: number };
        updateCustomData({ orders: orders + 1 } as object);
        if (run === 1) {
          await barrier.pass();
          await first();
        }
        return { run };
      },
    });
    const methods = { ...testMethods, order };
    // The session begins without the short time of the calls, which a busy machine can exceed.
    const [{ client }] = await servers.startTwo({ methods });
    const guest = client();
    expect(await guest.call("note", { begun: 1 })).toMatchObject({ status: 204 });
    const both = await servers.startTwo({ methods, callTimeout });
    return both.map((server) => {
      const visitor = server.client();
      for (const [name, value] of guest.cookies) visitor.cookies.set(name, value);
      return visitor;
    }) as [CookieClient, CookieClient];
  }

  const key = withKey("one");

  test("run once at the same time, and both get the response", async () => {
    const [one, two] = await enter();
    const running = one.call("order", undefined, key);
    await barrier.reached;
    const waiting = [two.call("order", undefined, key), one.call("order", undefined, key)];
    expect(await Promise.race([...waiting, pause(100)])).toBe("paused");
    barrier.open();
    for (const answer of await Promise.all([running, ...waiting])) {
      expect(answer).toMatchObject({ status: 200, body: { run: 1 } });
    }
    expect(runs).toBe(1);
    expect((await two.call("notes")).body).toMatchObject({ orders: 1 });
  });

  test("run once if twenty of them start at the same time", async () => {
    const [one, two] = await enter();
    barrier.open();
    const calls = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).call("order", undefined, key),
    );
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 200, body: { run: 1 } });
    }
    expect(runs).toBe(1);
  });

  test("change the basket once at the same time", async () => {
    const [one, two] = await enter();
    const calls = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).call("addItemToBasket", line, key),
    );
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 200, body: { basket: { itemCount: 1 } } });
    }
  });

  test("with other keys run at the same time, and keep all changes", async () => {
    const [one, two] = await enter();
    barrier.open();
    const calls = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? one : two).call("note", { [`field${index}`]: index }, withKey(`${index}`)),
    );
    for (const { status } of await Promise.all(calls)) expect(status).toBe(204);
    expect(Object.keys((await one.call("notes")).body)).toHaveLength(11);
  });

  test("get 422 with another payload, before the first one has ended", async () => {
    const [one, two] = await enter();
    const running = one.call("order", undefined, key);
    await barrier.reached;
    const other = two.call("order", { more: 1 }, key);
    const local = one.call("order", { more: 1 }, key);
    barrier.open();
    const reused = { status: 422, body: { code: "idempotency_key_reused" } };
    expect(await other).toMatchObject(reused);
    expect(await local).toMatchObject(reused);
    expect(await running).toMatchObject({ status: 200 });
    expect(runs).toBe(1);
  });

  test.each([409, 429, 503])("run again after the first one fails with %i", async (status) => {
    const [one, two] = await enter();
    first = () => {
      throw new RpcError("busy", { status, title: "Busy", headers: { "retry-after": "1" } });
    };
    if (status === 503) servers.allowErrors();
    const running = one.call("order", undefined, key);
    await barrier.reached;
    const waiting = two.call("order", undefined, key);
    barrier.open();
    expect(await running).toMatchObject({ status });
    expect(await waiting).toMatchObject({ status: 200, body: { run: 2 } });
    expect((await one.call("notes")).body).toMatchObject({ orders: 1 });
  });

  test("get the rejection of the first one", async () => {
    const [one, two] = await enter();
    first = () => {
      throw new RpcError("sold_out", { status: 410, title: "Sold out", data: { left: 0 } });
    };
    const running = one.call("order", undefined, key);
    await barrier.reached;
    const waiting = two.call("order", undefined, key);
    barrier.open();
    const { body } = await running;
    expect(body).toMatchObject({ code: "sold_out", data: { left: 0 } });
    expect(await waiting).toMatchObject({ status: 410, body });
    expect(runs).toBe(1);
    expect((await one.call("notes")).body).not.toHaveProperty("orders");
  });

  test("wait until their own time is nearly over, and then get 409 and Retry-After", async () => {
    servers.allowErrors();
    const [one, two] = await enter(1);
    const running = one.call("order", undefined, key);
    await barrier.reached;
    for (const client of [one, two]) {
      const waiting = await client.call("order", undefined, key);
      expect(waiting).toMatchObject({
        status: 409,
        body: { code: "idempotency_pending", executed: false },
      });
      expect(waiting.headers.get("retry-after")).toBe("1");
    }
    expect(await running).toMatchObject({ status: 504 });
    barrier.open();
    expect(runs).toBe(1);
  });

  test("run again when the first one, which its server has aborted, must have ended", async () => {
    servers.allowErrors();
    const [one, two] = await enter(1);
    const start = performance.now();
    const running = one.call("order", undefined, key);
    await barrier.reached;
    let answer = await two.call("order", undefined, key);
    while (answer.status === 409) answer = await two.call("order", undefined, key);
    expect(answer).toMatchObject({ status: 200, body: { run: 2 } });
    // A tenth of the time and a second more than the time of a call.
    expect(performance.now() - start).toBeGreaterThan(2000);
    expect(await running).toMatchObject({ status: 504 });
    barrier.open();
    expect(await one.call("order", undefined, key)).toMatchObject({
      status: 200,
      body: { run: 2 },
    });
    expect((await two.call("notes")).body).toMatchObject({ orders: 1 });
  });

  test("run once across a login, and in the lists of the user", async () => {
    const [one] = await enter();
    barrier.open();
    await one.call("order", undefined, key);
    await one.call("addItemToBasket", line, withKey("two"));
    await one.call("addItemToWishlist", { variantId: 7 }, withKey("three"));
    expect(await one.call("login", as(7))).toMatchObject({ status: 200 });
    const repeat = async () => {
      expect(await one.call("order", undefined, key)).toMatchObject({ body: { run: 1 } });
      const { body } = await one.call("addItemToBasket", line, withKey("two"));
      expect(body.basket).toMatchObject({ itemCount: 1 });
      await one.call("addItemToWishlist", { variantId: 7 }, withKey("three"));
      const reused = await one.call("clearWishlist", undefined, withKey("three"));
      expect(reused).toMatchObject({ status: 422 });
    };
    await repeat();
    // Another login of the same user keeps the keys of the session, too.
    expect(await one.call("login", as(7))).toMatchObject({ status: 200 });
    await repeat();
    expect(runs).toBe(1);
  });

  test("keep the user's own keys at a login on another device", async () => {
    const [one, two] = await enter();
    await one.call("login", as(7));
    await one.call("addItemToBasket", line, key);
    two.cookies.clear();
    await two.call("addItemToBasket", line, withKey("two"));
    await two.call("login", as(7));
    for (const name of ["one", "two"]) {
      const { body } = await two.call("addItemToBasket", line, withKey(name));
      expect(body.basket).toMatchObject({ itemCount: 2 });
    }
  });

  test("run again for another user, who logs in in the same browser", async () => {
    const [one] = await enter();
    barrier.open();
    await one.call("login", as(7));
    await one.call("order", undefined, key);
    await one.call("login", as(8));
    expect(await one.call("order", undefined, key)).toMatchObject({ body: { run: 2 } });
  });

  test("run again after a logout", async () => {
    const [one] = await enter();
    barrier.open();
    await one.call("login", as(7));
    await one.call("order", undefined, key);
    const left = one.clone();
    await one.call("logout");
    const ended = { status: 409, body: { code: "session_ended", executed: false } };
    expect(await left.call("order", undefined, key)).toMatchObject(ended);
    expect(await one.call("order", undefined, key)).toMatchObject({ body: { run: 2 } });
  });

  test("run once while the session gets a new ID", async () => {
    const [one, two] = await enter();
    await one.call("login", as(7));
    for (const [name, value] of one.cookies) two.cookies.set(name, value);
    const running = one.clone().call("order", undefined, key);
    await barrier.reached;
    const waiting = two.call("order", undefined, key);
    const rotated = await one.call("login", as(7));
    expect(rotated).toMatchObject({ status: 200 });
    barrier.open();
    // Nothing of the call is stored, and its method has run.
    expect(await running).toMatchObject({
      status: 409,
      body: { code: "session_changed", executed: true },
    });
    expect(await waiting).toMatchObject({
      status: 409,
      body: { code: "session_changed", executed: false },
    });
    expect(runs).toBe(1);
  });
});

// --- Internal helpers ---

function pause(milliseconds: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve("paused"), milliseconds));
}

import { expect, test } from "vitest";
import type { CookieClient } from "../../_cookie-client.ts";
import { describeStorages, type Setup } from "../../_setup.ts";
import { enterCounting, line, withKey } from "../../fixtures/counting-methods.ts";

describeStorages("a call that is repeated with its Idempotency-Key", (setup: Setup) => {
  let runs: unknown[];

  function enter(): Promise<CookieClient> {
    runs = [];
    return enterCounting(setup, runs);
  }

  test("runs once, and gets the same response", async () => {
    const visitor = await enter();
    for (const method of ["count", "nothing", "text"]) {
      const first = await visitor.call(method, undefined, withKey(`key-of-${method}`));
      const again = await visitor.call(method, undefined, withKey(`"key-of-${method}"`));
      expect([again.status, again.body], method).toEqual([first.status, first.body]);
      for (const name of ["content-type", "cache-control"]) {
        expect(again.headers.get(name)).toBe(first.headers.get(name));
      }
    }
    expect(runs).toEqual([undefined, "nothing", "text"]);
  });

  test("gets the headers that the method has set, and runs once by each HTTP method", async () => {
    const visitor = await enter();
    for (const method of ["POST", "PUT", "PUT"]) {
      const { headers, setCookies, body } = await visitor.request("/api/rpc/label", {
        method,
        headers: { "content-type": "application/json", "x-shop-id": "1001", ...withKey("one") },
        body: "{}",
      });
      expect(body).toEqual({ labelled: true });
      expect(headers.get("x-order")).toBe("run 1");
      expect(setCookies).toEqual(["coupon=1", "theme=dark"]);
    }
    expect(runs).toEqual(["label"]);
  });

  test("runs once in a batch, and alone", async () => {
    const visitor = await enter();
    const calls = [
      { method: "count", payload: 1, key: "one" },
      { method: "count", payload: 1, key: "one" },
      { method: "count", payload: 2, key: "one" },
      { method: "count", payload: 1 },
    ];
    const send = async () => {
      const { body } = await visitor.request("/api/rpc", {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1001" },
        body: JSON.stringify(calls),
      });
      return body as { status: number; body: { run?: number; code?: string } }[];
    };
    const first = await send();
    expect(first.map(({ status }) => status)).toEqual([200, 200, 422, 200]);
    expect(first.map(({ body }) => body.run ?? body.code)).toEqual([
      1,
      1,
      "idempotency_key_reused",
      2,
    ]);
    expect((await send()).map(({ body }) => body.run)).toEqual([1, 1, undefined, 3]);
    expect(await visitor.call("count", 1, withKey("one"))).toMatchObject({ body: { run: 1 } });
  });

  test("runs again with another key, and without one", async () => {
    const visitor = await enter();
    await visitor.call("count", 1, withKey("one"));
    await visitor.call("count", 1, withKey("two"));
    await visitor.call("count", 1);
    await visitor.call("count", 1);
    expect(runs).toHaveLength(4);
  });

  test("gets 422 with another payload or for another method", async () => {
    const visitor = await enter();
    const reused = { status: 422, body: { code: "idempotency_key_reused", executed: false } };
    await visitor.call("count", { a: 1, b: 2 }, withKey("one"));
    expect(await visitor.call("count", { b: 2, a: 1 }, withKey("one"))).toMatchObject({
      status: 200,
    });
    expect(await visitor.call("count", { a: 1, b: 3 }, withKey("one"))).toMatchObject(reused);
    expect(await visitor.call("count", undefined, withKey("one"))).toMatchObject(reused);
    expect(await visitor.call("nothing", undefined, withKey("one"))).toMatchObject(reused);
    expect(await visitor.call("addItemToBasket", line, withKey("one"))).toMatchObject(reused);
    expect(runs).toHaveLength(1);
    // The rejection itself isn't the answer of the key.
    expect(await visitor.call("count", { a: 1, b: 2 }, withKey("one"))).toMatchObject({
      status: 200,
    });
  });

  test("keeps the changes of the session from the first run", async () => {
    const visitor = await enter();
    for (let count = 0; count < 3; count++) {
      expect(await visitor.call("note", undefined, withKey("one"))).toMatchObject({
        body: { notes: 1 },
      });
    }
    expect(await visitor.call("readNotes")).toMatchObject({ body: { notes: 1 } });
  });

  test.each([400, 403, 404, 410, 422, 451])("gets the same problem after %i", async (status) => {
    const visitor = await enter();
    const first = await visitor.call("fail", { status }, withKey("one"));
    const again = await visitor.call("fail", { status }, withKey("one"));
    expect(first).toMatchObject({
      status,
      body: { code: "own_error", detail: "1", data: { left: 3 } },
    });
    expect(again).toMatchObject({ status, body: first.body });
    expect(again.headers.get("content-type")).toBe("application/problem+json");
    expect(again.headers.get("cache-control")).toBe("no-store");
    expect(runs).toEqual([status]);
  });

  test.each([401, 408, 409, 412, 425, 429, 500, 503])("runs again after %i", async (status) => {
    setup.allowErrors();
    const visitor = await enter();
    await visitor.call("fail", { status }, withKey("one"));
    expect(await visitor.call("fail", { status }, withKey("one"))).toMatchObject({ status });
    expect(runs).toEqual([status, status]);
  });

  test("runs again if the method returned a Response", async () => {
    const visitor = await enter();
    for (const number of [1, 2]) {
      const answer = await visitor.request("/api/rpc/answer", {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1001", ...withKey("one") },
      });
      expect(answer.body).toBe(`run ${number}`);
      expect(runs).toHaveLength(number);
    }
  });

  test("runs again if the input has a secret, and the session stores nothing", async () => {
    const visitor = await enter();
    for (const run of [1, 2]) {
      const answer = await visitor.call("unlock", { pin: `123${run}` }, withKey("one"));
      expect(answer).toMatchObject({ status: 200, body: { run } });
    }
    expect(await visitor.call("count", 1, withKey("one"))).toMatchObject({ status: 200 });
  });

  test("runs again if the method is read-only", async () => {
    const visitor = await enter();
    await visitor.call("look", undefined, withKey("one"));
    expect(await visitor.call("look", undefined, withKey("one"))).toMatchObject({
      body: { run: 2 },
    });
  });

  test("runs again for a visitor without a session, who gets a session with the key", async () => {
    const visitor = await enter();
    const guest = visitor.clone();
    guest.cookies.clear();
    const lost = guest.clone();
    expect(await lost.call("addItemToBasket", line, withKey("one"))).toMatchObject({ status: 200 });
    const first = await guest.call("addItemToBasket", line, withKey("one"));
    expect(first.body.basket).toMatchObject({ itemCount: 1 });
    expect(first.body.basket.key).not.toBe((await lost.call("getBasket")).body.basket.key);
    const again = await guest.call("addItemToBasket", line, withKey("one"));
    expect(again).toMatchObject({ status: 200, body: first.body });
  });

  test("begins no session for a key alone", async () => {
    const visitor = await enter();
    visitor.cookies.clear();
    for (const run of [1, 2]) {
      const { body, setCookies } = await visitor.call("count", undefined, withKey("one"));
      expect(body).toMatchObject({ run });
      expect(setCookies).toEqual([]);
    }
    const failed = await visitor.call("fail", { status: 404 }, withKey("two"));
    expect(failed.setCookies).toEqual([]);
  });

  test("stores the key of a session that the call begins", async () => {
    const visitor = await enter();
    visitor.cookies.clear();
    expect(await visitor.call("late", undefined, withKey("one"))).toMatchObject({ status: 204 });
    expect(await visitor.call("late", undefined, withKey("one"))).toMatchObject({ status: 204 });
    expect(runs).toEqual(["late"]);
  });

  test("runs as a call of their own for another visitor", async () => {
    const visitor = await enter();
    const other = visitor.clone();
    other.cookies.clear();
    await other.call("begin");
    await visitor.call("count", 1, withKey("one"));
    expect(await other.call("count", 1, withKey("one"))).toMatchObject({ body: { run: 2 } });
    expect(await other.call("count", 2, withKey("one"))).toMatchObject({ status: 422 });
  });
});

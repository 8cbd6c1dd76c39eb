import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startServerProcess, type ServerProcess } from "../../_process.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { createBarrier } from "../../fixtures/barrier.ts";
import { line, withKey } from "../../fixtures/counting-methods.ts";

/** Seconds. A call ends after a tenth more and a second at the latest. */
const callTimeout = 2;
const longest = callTimeout * 1100 + 1000;

describeWithRedis("calls with an Idempotency-Key on two server processes", () => {
  const redis = useRedis();
  let one: ServerProcess;
  let two: ServerProcess;
  let guest: CookieClient;
  /** The same guest at the other server. */
  let other: CookieClient;

  beforeEach(async () => {
    const { url } = redis();
    [one, two] = await Promise.all([
      startServerProcess(url, callTimeout),
      startServerProcess(url, callTimeout),
    ]);
    onTestFinished(async () => {
      await Promise.all([one.kill(), two.kill()]);
    });
    guest = one.client();
    await guest.call("addItemToBasket", line);
    other = two.client();
    for (const [name, value] of guest.cookies) other.cookies.set(name, value);
  });

  const key = withKey("one");

  test("run once at the same time, and both get the response", async () => {
    const barrier = await createBarrier();
    const payload = { barrier: barrier.url, method: "addItemToBasket", payload: line };
    const running = guest.call("slowly", payload, key);
    await barrier.reached();
    const waiting = other.call("slowly", payload, key);
    barrier.open();
    const { body } = await running;
    expect(body.basket).toMatchObject({ itemCount: 2 });
    expect(await waiting).toMatchObject({ status: 200, body });
    await expect(Promise.race([barrier.reached(2), Promise.resolve("once")])).resolves.toBe("once");
  });

  test("run again after the server of the first one is killed, when a call must have ended", async () => {
    const barrier = await createBarrier();
    const payload = { barrier: barrier.url, method: "addItemToBasket", payload: line };
    const running = guest.call("slowly", payload, key).catch(() => "lost");
    await barrier.reached();
    const start = performance.now();
    await one.kill();
    expect(await running).toBe("lost");
    let answer = await other.call("slowly", payload, key);
    expect(answer).toMatchObject({ status: 409, body: { code: "idempotency_pending" } });
    void barrier.reached(2).then(() => barrier.open());
    while (answer.status === 409) answer = await other.call("slowly", payload, key);
    expect(answer).toMatchObject({ status: 200, body: { basket: { itemCount: 2 } } });
    expect(performance.now() - start).toBeGreaterThan(longest - 100);
    expect(await other.call("slowly", payload, key)).toMatchObject({ body: answer.body });
  });

  test("count once if the server is killed before its response arrives", async () => {
    await guest.call("addItemToBasket", line, key);
    await guest.call("note", { note: 1 }, withKey("two"));
    await one.kill();
    const again = await other.call("addItemToBasket", line, key);
    expect(again).toMatchObject({ status: 200, body: { basket: { itemCount: 2 } } });
    expect(await other.call("note", { note: 1 }, withKey("two"))).toMatchObject({ status: 204 });
    expect(await other.call("note", { note: 2 }, withKey("two"))).toMatchObject({ status: 422 });
  });
});

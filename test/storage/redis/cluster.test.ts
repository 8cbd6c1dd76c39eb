import type { Driver } from "unstorage";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { until } from "../../_documents.ts";
import { countCommands, startServerProcess, type ServerProcess } from "../../_process.ts";
import { describeWithRedis, startRedis, useRedis } from "../../_redis.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { createBarrier } from "../../fixtures/barrier.ts";
import { twinAt } from "../../fixtures/clients.ts";
import { fiftyTimes } from "../../fixtures/two-servers.ts";
import { readStored, sessionIdOf } from "../../fixtures/stored.ts";
import { isMarkText, retired } from "../../_sessions.ts";

const account = { email: "ada@example.com", password: "correct horse" };
const newPassword = "battery staple";

describeWithRedis("two processes on one Redis", () => {
  const redis = useRedis();
  let a: ServerProcess;
  let b: ServerProcess;
  let driver: Driver;

  beforeAll(async () => {
    driver = openDriver({ driver: "redis", url: redis().url });
    [a, b] = await Promise.all([startServerProcess(redis().url), startServerProcess(redis().url)]);
  });
  beforeEach(async () => {
    for (const { key } of await readStored(driver)) await driver.removeItem?.(key, {});
  });
  afterAll(async () => {
    await Promise.all([a?.kill(), b?.kill()]);
    await driver.dispose?.();
  });

  const stored = (prefix: string) => readStored(driver, prefix);
  const records = async () => (await stored("session:")).filter(({ text }) => !isMarkText(text));
  /** One browser, whose calls alternate between the processes. */
  const inTurns = (from: CookieClient) => {
    const tabs = [from, twinAt(b, from)] as const;
    return (index: number) => tabs[index % 2 ? 1 : 0];
  };

  test("share sessions and their data", async () => {
    const client = a.client();
    const { body } = await client.call("register", account);
    const elsewhere = twinAt(b, client);
    expect((await elsewhere.call("getUser")).body).toEqual({ user: body.user });
    await elsewhere.call("updateUser", { firstName: "Ada" });
    expect((await client.call("getUser")).body.user.firstName).toBe("Ada");
    expect((await client.call("refuse")).body).toMatchObject({ code: "limit_reached" });
  });

  test("see immediately that a login has changed the ID", async () => {
    const client = a.client();
    await client.call("note", { begun: true });
    const before = twinAt(b, client);
    await client.call("enter", { id: 7 });
    expect(await before.call("notes")).toMatchObject(retired);
    expect((await twinAt(b, client).call("notes")).body).toEqual({ begun: true });
    expect((await records()).map(sessionIdOf)).toEqual([client.sessionId]);
  });

  test.each([
    ["endSessions", (userId: string) => ({ userId }), 0],
    ["logoutEverywhere", () => undefined, 0],
    ["updatePassword", () => ({ oldPassword: account.password, newPassword }), 1],
  ])("%s at one ends sessions at the next call to the other", async (method, payload, left) => {
    const [here, phone, laptop] = [a.client(), b.client(), b.client(1002)];
    const { user } = (await here.call("register", account)).body;
    for (const device of [phone, laptop]) await device.call("login", account);
    expect((await here.call(method, payload(user.id))).status).toBe(200);
    for (const device of [phone, laptop]) expect((await device.call("getUser")).body).toEqual({});
    expect(await records()).toHaveLength(left);
  });

  test("keep 50 parallel changes of one session", async () => {
    const client = a.client();
    await client.call("note", { begun: true });
    const tab = inTurns(client);
    const answers = await fiftyTimes((index) => tab(index).call("note", { [`n${index}`]: index }));
    for (const { status } of answers) expect(status).toBe(204);
    const [record] = await stored("session:");
    expect(Object.keys(record?.value.customData)).toHaveLength(51);
  });

  test("keep 50 parallel items of one basket", async () => {
    const client = a.client();
    await client.call("note", { begun: true });
    const tab = inTurns(client);
    const answers = await fiftyTimes((index) =>
      tab(index).call("addItemToBasket", { variantId: index + 1, quantity: 1 }),
    );
    for (const { status } of answers) expect(status).toBe(200);
    expect(await stored("basket:")).toMatchObject([
      { value: { revision: 50, items: { length: 50 } } },
    ]);
  });

  test("merge a guest's basket once, although both get the login", async () => {
    for (let id = 1; id <= 20; id++) {
      const earlier = a.client();
      await earlier.call("enter", { id });
      await earlier.call("addItemToBasket", { variantId: 7, quantity: 1 });
      const guest = a.client();
      await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
      const tabs = [guest.clone(), twinAt(b, guest)];
      const logins = await Promise.all(tabs.map((tab) => tab.call("enter", { id })));
      expect(logins.map(({ status }) => status)).toContain(200);
      await Promise.all(tabs.map((tab) => tab.call("getBasket")));
      const { basket } = (await earlier.call("getBasket")).body;
      expect(basket.items).toMatchObject([{ variantId: 7, quantity: 3 }]);
    }
  });

  test("end a call that runs on one when the session is logged out on the other", async () => {
    const client = b.client();
    await client.call("enter", { id: 7 });
    const barrier = await createBarrier();
    const change = { barrier: barrier.url, method: "note", payload: { late: true } };
    const slow = client.clone().call("slowly", change);
    await barrier.reached();
    expect((await twinAt(a, client).call("logout")).status).toBe(204);
    barrier.open();
    expect(await slow).toMatchObject({ status: 409, body: { code: "session_changed" } });
    expect(await records()).toEqual([]);
  });

  test("give an email address to one of several parallel registrations", async () => {
    const passwords = ["first choice", "second choice", "third choice", "fourth choice"];
    const answers = await Promise.all(
      passwords.map((password, index) =>
        (index % 2 ? a : b).client().call("register", { ...account, password }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
    const winner = answers.findIndex(({ status }) => status === 200);
    for (const [index, password] of passwords.entries()) {
      const { status } = await a.client().call("login", { ...account, password });
      expect(status).toBe(index === winner ? 200 : 401);
    }
    expect(await stored("account:")).toHaveLength(1);
  });

  test("send Redis few commands", async () => {
    const client = a.client();
    // The scripts are in Redis, and the account is there, before anything is counted.
    await client.call("register", account);
    await client.call("logout");
    const count = async (...call: Parameters<CookieClient["call"]>) =>
      (await countCommands(redis().url, () => client.call(...call))).length;
    expect(await count("getUser")).toBe(0);
    expect(await count("getBasket")).toBe(0);
    // Two of them read failed logins: of the account and from the IP address. One reads the ends of all sessions.
    expect(await count("login", account)).toBeLessThanOrEqual(7);
    expect(await count("getUser")).toBe(1);
    expect(await count("getUser"), "warm").toBe(0);
    expect(await count("note", { one: 1 })).toBeLessThanOrEqual(2);
    expect(await count("addItemToBasket", { variantId: 7, quantity: 1 })).toBeLessThanOrEqual(3);
    expect(await count("getBasket")).toBeLessThanOrEqual(2);
    expect(await count("getShopConfiguration")).toBe(0);
  });

  test("keep every write that was acknowledged before one of them was killed", async () => {
    const doomed = await startServer(redis().url);
    const client = a.client();
    await client.call("note", { begun: true });
    const atDoomed = twinAt(doomed, client);
    let acknowledged = 0;
    const writes = Array.from({ length: 200 }, async (_, index) => {
      const { status } = await atDoomed.call("note", { [`n${index}`]: index });
      if (++acknowledged === 60) await doomed.kill();
      return status;
    });
    const outcomes = await Promise.allSettled(writes);
    const kept = outcomes.flatMap(({ status }, index) => (status === "fulfilled" ? [index] : []));
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") expect(outcome.value).toBe(204);
    }
    expect(kept.length).toBeGreaterThanOrEqual(60);
    expect(kept.length).toBeLessThan(200);
    const { body } = await client.call("notes");
    expect(kept.filter((index) => body[`n${index}`] !== index)).toEqual([]);
    expect((await client.call("note", { after: true })).status).toBe(204);
  });

  test("finish running calls when one is stopped", async () => {
    const leaving = await startServer(redis().url);
    const client = leaving.client();
    await client.call("note", { begun: true });
    const barrier = await createBarrier();
    const change = { barrier: barrier.url, method: "note", payload: { late: true } };
    const slow = client.call("slowly", change);
    await barrier.reached();
    const stopped = leaving.stop();
    barrier.open();
    expect((await slow).status).toBe(204);
    // A load balancer goes on using the connections it has; they must not keep the process alive.
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    await until(async () => {
      await leaving.send("/healthz", {}).catch(() => undefined);
      return isStopped;
    });
    expect(await stopped).toBe(0);
    expect((await twinAt(a, client).call("notes")).body).toEqual({ begun: true, late: true });
  });
});

describeWithRedis("defect 18: a process whose Redis goes away", () => {
  test.each(["is killed", "hangs"])("responds soon if it %s, and works again", async (what) => {
    let redis = await startRedis();
    onTestFinished(() => redis.stop());
    const server = await startServer(redis.url);
    const [client, guest] = [server.client(), server.client()];
    await client.call("enter", { id: 7 });
    if (what === "hangs") redis.pause();
    else await redis.stop();
    const startedAt = performance.now();
    const calls = Array.from({ length: 40 }, (_, index) =>
      index % 2 ? client.call("getUser") : client.call("note", { index }),
    );
    for (const { status, headers, body, setCookies } of await Promise.all(calls)) {
      expect({ status, code: body.code }).toEqual({ status: 503, code: "storage_unavailable" });
      expect(headers.get("retry-after")).toMatch(/^\d+$/);
      expect(setCookies).toEqual([]);
    }
    // With the defaults of ioredis, the calls would take more than 10 s.
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect((await guest.request("/healthz")).status).toBe(200);
    expect((await guest.call("getUser")).body).toEqual({});
    if (what === "hangs") redis.resume();
    else redis = await startRedis({ port: redis.port });
    await until(async () => (await client.clone().call("notes")).status === 200);
    const { body } = await client.call("getUser");
    expect(body).toEqual(what === "hangs" ? { user: { id: 7 } } : {});
    expect((await client.call("note", { after: true })).status).toBe(204);
  });

  test("reports readiness only with Redis", async () => {
    let redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { send } = await startServer(redis.url);
    const getStatus = async () => (await send("/readyz", {})).status;
    expect(await getStatus()).toBe(200);
    await redis.stop();
    await until(async () => (await getStatus()) === 503);
    redis = await startRedis({ port: redis.port });
    await until(async () => (await getStatus()) === 200);
  });
});

// --- Internal helpers ---

/** Starts another process until the test ends. */
async function startServer(redisUrl: string): Promise<ServerProcess> {
  const server = await startServerProcess(redisUrl);
  onTestFinished(() => server.kill());
  return server;
}

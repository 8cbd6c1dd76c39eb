import { describe, expect, test } from "vitest";
import { RpcError } from "../../rpc/error.ts";
import { createFaultyDriver, Barrier, hold, later, outage } from "../_faulty-driver.ts";
import { countRecords, isMarkText, retired } from "../_sessions.ts";
import { createSetup } from "../_setup.ts";
import { basics, run } from "../fixtures/context-methods.ts";

describe("a context", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const server = createSetup("memory", "server", () => ({ driver: "memory" }));

  test.each([
    ["a logout", "logout", undefined],
    ["a new login", "enter", { id: "u1" }],
    ["the end of all sessions", "logoutEverywhere", undefined],
  ])("fails a slow write if %s comes first, and revives no session", async (_, end, payload) => {
    const faulty = createFaultyDriver();
    const { client } = await start({ methods: basics, storage: { session: faulty.driver } });
    for (const [method, data] of [
      ["remember", { a: 1 }],
      ["change", { a: 1 }],
    ] as const) {
      const user = client();
      await user.call("enter", { id: "u1" });
      const tab = user.clone();
      const id = user.sessionId;
      const barrier = hold(faulty, "after", "read session:");
      const slow = tab.call(method, data);
      await barrier.reached;
      faulty.heal();
      await user.call(end, payload);
      barrier.open();
      expect(await slow).toMatchObject({ ...retired, body: { executed: true } });
      expect(await tab.call("getUser")).toMatchObject(end === "enter" ? retired : { body: {} });
      const left = faulty.stored().get(`session:1001:${id?.slice(-36)}`);
      expect(isMarkText(left ?? "")).toBe(true);
      await user.call("logout");
    }
    expect(countRecords(faulty)).toBe(0);
  });

  test.each(["addItemToBasket", "remember"])(
    "removes an item that a guest adds during a logout, with a session from %s",
    async (begin) => {
      const faulty = createFaultyDriver();
      const { client } = await start({ methods: basics, storage: { session: faulty.driver } });
      const guest = client();
      await guest.call(begin, begin === "remember" ? { a: 1 } : { variantId: 1, quantity: 1 });
      const [tab, lateTab] = [guest.clone(), guest.clone()];
      const item = { variantId: "x-2", quantity: 1 };
      const lateRead = hold(faulty, "after", "read session:");
      const late = lateTab.call("addItemToBasket", item);
      await lateRead.reached;
      const read = hold(faulty, "after", "read session:");
      const logout = guest.call("logout");
      await read.reached;
      const basketRead = hold(faulty, "before", "read basket:");
      const adding = tab.call("addItemToBasket", item);
      await basketRead.reached;
      faulty.heal();
      read.open();
      await later();
      basketRead.open();
      await Promise.all([adding, logout]);
      lateRead.open();
      expect(await late).toMatchObject({ status: 409, body: { code: "session_changed" } });
      expect([...faulty.stored()].filter(([, text]) => text.includes("x-2"))).toEqual([]);
    },
  );

  test("acknowledges no change whose write failed, though the method went on", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const goOn = run(async ({ callRpc, updateCustomData }) => {
      updateCustomData({ a: 1 } as object);
      await callRpc("addItemToBasket", { variantId: 7, quantity: 1 }).catch(() => undefined);
    });
    const methods = { ...basics, goOn };
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const guest = client();
    await guest.call("remember", { first: 1 });
    let writes = 0;
    faulty.before = ({ kind }) => kind === "write" && ++writes === 1 && outage();
    const { status } = await guest.call("goOn");
    const { a } = (await guest.call("recall")).body;
    expect([status === 204, a === 1]).toEqual([a === 1, status === 204]);
  });

  test("logs in the user of the last updateUser", async () => {
    const waver = run((context) => {
      context.updateUser({ id: "u2" });
      context.updateUser({ id: "u1", firstName: "Ada" });
      return context.user;
    });
    const { client } = await start({ methods: { ...basics, waver } });
    const user = client();
    await user.call("enter", { id: "u1" });
    const { body } = await user.call("waver");
    expect((await user.call("getUser")).body.user).toEqual(body);
  });

  test("drops a user's changes if another user logs in within the call", async () => {
    const swap = run(async (context) => {
      context.updateCustomData({ of: "u1" } as object);
      context.updateUser({ id: "u1", firstName: "Ada" });
      await context.createUserBoundSession({ id: "u2" });
      return [context.user, context.customData];
    });
    const { client } = await start({ methods: { ...basics, swap } });
    const user = client();
    await user.call("enter", { id: "u1" });
    expect((await user.call("swap")).body).toEqual([{ id: "u2" }, {}]);
    expect((await user.call("getUser")).body).toEqual({ user: { id: "u2" } });
    expect((await user.call("recall")).body).toEqual({});
  });

  test("writes no custom data of a failing call, though it began a basket", async () => {
    const fail = run(async ({ callRpc, updateCustomData }) => {
      updateCustomData({ lost: true } as object);
      await callRpc("addItemToBasket", { variantId: 7, quantity: 1 });
      throw new RpcError("sold_out", { status: 409, title: "Sold out" });
    });
    const { client } = await start({ methods: { ...basics, fail } });
    const guest = client();
    await guest.call("fail");
    expect((await guest.call("recall")).body).toEqual({});
  });

  test("aborts its signal if the client disconnects, and knows the client's IP address", async () => {
    const [arrived, aborted] = [new Barrier(), new Barrier()];
    const addresses: unknown[] = [];
    const wait = run(async ({ ip, signal }) => {
      addresses.push(ip);
      signal.addEventListener("abort", () => aborted.open());
      void arrived.pass();
      await aborted.pass();
    });
    const { client } = await server.start({ methods: { wait } });
    const leaving = new AbortController();
    const init = { method: "POST", headers: { "x-shop-id": "1001" }, signal: leaving.signal };
    const call = client().request("/api/rpc/wait", init);
    await arrived.reached;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await aborted.pass();
    expect(addresses).toEqual(["127.0.0.1"]);
  });
});

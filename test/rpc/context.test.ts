import { expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { retired } from "../_sessions.ts";
import { describeStorages } from "../_setup.ts";
import { basics, run } from "../fixtures/context-methods.ts";

const { enter } = basics;
const many = Array.from({ length: 50 }, (_, index) => index);

describeStorages("a context", ({ start, allowErrors }) => {
  test("shows no ID, no user, and no data to a visitor without a session", async () => {
    const look = run(({ sessionId, user, customData, shop }) => ({
      context: [sessionId === undefined, user === undefined, customData],
      shop,
    }));
    const { client } = await start({ methods: { look } });
    const answer = await client().call("look");
    const shop = { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" };
    expect(answer.body).toEqual({ context: [true, true, {}], shop });
    expect(answer.setCookies).toEqual([]);
  });

  test("shows an updateUser immediately, and in the next call", async () => {
    const rename = run(({ user, updateUser, sessionId }) => {
      updateUser({ id: "u1", ...user, firstName: "Ada" });
      updateUser({ id: "u1", ...user, firstName: "Ada", lastName: "L" });
      // Taken apart, `user` is the value of before.
      return [user, sessionId];
    });
    const renameAndLook = run((context) => {
      context.updateUser({ ...context.user, id: "u1", firstName: "Grace" });
      return context.user;
    });
    const { client } = await start({ methods: { ...basics, rename, renameAndLook } });
    const user = client();
    await user.call("enter", { id: "u1" });
    expect((await user.call("rename")).body[0]).toEqual({ id: "u1" });
    const ada = { id: "u1", firstName: "Ada", lastName: "L" };
    expect((await user.call("getUser")).body).toEqual({ user: ada });
    const grace = { ...ada, firstName: "Grace" };
    expect((await user.call("renameAndLook")).body).toEqual(grace);
    expect((await user.call("getUser")).body).toEqual({ user: grace });
  });

  test("logs a guest in with updateUser: with a new ID, and a merged basket", async () => {
    const become = run(({ updateUser }) => updateUser({ id: "u1" }));
    const { client } = await start({ methods: { become } });
    const [guest, stranger] = [client(), client()];
    await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    const old = guest.clone();
    await guest.call("become");
    expect(guest.sessionId).toMatch(/^u1:/);
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(2);
    expect(await old.call("getUser")).toMatchObject(retired);
    await stranger.call("become");
    expect((await stranger.call("getBasket")).body.basket.itemCount).toBe(2);
  });

  test("rejects a user without a valid ID", async () => {
    allowErrors();
    const become = defineRpcMethod({
      input: z.looseObject({}),
      handler: (user, { updateUser }) => updateUser(user as { id: string }),
    });
    const { client } = await start({ methods: { become, enter } });
    for (const id of [0, -1, 1.5, null, "", "x".repeat(65), {}]) {
      const guest = client();
      expect((await guest.call("become", { id })).status).toBe(500);
      expect(guest.sessionId).toBeUndefined();
    }
  });

  test("keeps a login before an error, and no other change of the session", async () => {
    allowErrors();
    const fail = run(({ updateCustomData, user, updateUser, basketKey }) => {
      updateCustomData({ lost: true } as object);
      updateUser({ id: "u1", ...user, firstName: "lost" });
      throw new RpcError("sold_out", { status: 409, title: `Sold out ${basketKey.length}` });
    });
    const enterAndFail = run(async ({ createUserBoundSession, updateCustomData }) => {
      await createUserBoundSession({ id: "u1" });
      updateCustomData({ lost: true } as object);
      throw new Error("secret detail");
    });
    const { client } = await start({ methods: { ...basics, fail, enterAndFail } });
    const user = client();
    const refused = await user.call("fail");
    expect(refused).toMatchObject({ status: 409, body: { code: "sold_out" }, setCookies: [] });
    const failed = await user.call("enterAndFail");
    expect(failed).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(JSON.stringify(failed.body)).not.toContain("secret detail");
    expect(user.sessionId).toMatch(/^u1:/);
    await user.call("fail");
    expect((await user.call("getUser")).body).toEqual({ user: { id: "u1" } });
    expect((await user.call("recall")).body).toEqual({});
  });

  test("begins a new session for a change after destroySession", async () => {
    const restart = run(async (context) => {
      context.updateCustomData({ before: 1 } as object);
      await context.destroySession();
      const { sessionId, user, customData } = context;
      context.updateCustomData({ after: 2 } as object);
      return { sessionId, user, customData };
    });
    const { client } = await start({ methods: { ...basics, restart } });
    const user = client();
    await user.call("enter", { id: "u1" });
    const old = user.clone();
    expect((await user.call("restart")).body).toEqual({ customData: {} });
    expect(user.sessionId).not.toContain("u1");
    expect((await user.call("recall")).body).toEqual({ after: 2 });
    expect((await old.call("getUser")).body).toEqual({});
  });

  test("ends a user's sessions in all shops, except those to keep", async () => {
    const end = run(({ sessionId, destroySessionsForUserId }) =>
      destroySessionsForUserId("u1", sessionId === undefined ? [] : [sessionId]),
    );
    const { client } = await start({ methods: { ...basics, end } });
    const devices = [client(1001), client(1002), client(1001)];
    for (const device of devices) await device.call("enter", { id: "u1" });
    const other = client();
    await other.call("enter", { id: "u2" });
    const users = () =>
      Promise.all(devices.map(async (device) => (await device.call("getUser")).body.user?.id));
    expect((await devices[0]?.call("end"))?.body).toBe(2);
    expect(await users()).toEqual(["u1", undefined, undefined]);
    expect((await other.call("end")).body).toBe(1);
    expect(await users()).toEqual([undefined, undefined, undefined]);
    expect((await other.call("getUser")).body.user.id).toBe("u2");
  });

  test("shows custom data immediately, and removes a field that is undefined", async () => {
    const patch = run((context) => {
      const fields = { a: 1, b: { c: [1] }, gone: 1 };
      context.updateCustomData(fields as object);
      // Later changes to the given object have no effect.
      Object.assign(fields, { a: 2, kept: false });
      Object.assign(context.customData, { direct: 1 });
      context.updateCustomData({ gone: undefined } as object);
      return context.customData;
    });
    const { client } = await start({ methods: { ...basics, patch } });
    const guest = client();
    await guest.call("remember", { kept: true, gone: true });
    const expected = { kept: true, a: 1, b: { c: [1] } };
    expect((await guest.call("patch")).body).toEqual(expected);
    expect((await guest.call("recall")).body).toEqual(expected);
  });

  test("keeps a guest's keys, and gives a user the same keys on all devices", async () => {
    const keys = run(({ basketKey, wishlistKey }) => [basketKey, wishlistKey]);
    const { client } = await start({ methods: { ...basics, keys } });
    const [guest, device] = [client(), client()];
    const { body } = await guest.call("keys");
    expect((await guest.call("keys")).body).toEqual(body);
    const { basket } = (await guest.call("addItemToBasket", { variantId: 7, quantity: 1 })).body;
    const { wishlist } = (await guest.call("addItemToWishlist", { variantId: 7 })).body;
    expect([basket.key, wishlist.key]).toEqual(body);
    expect(body.join()).not.toContain(guest.sessionId);
    await guest.call("enter", { id: "user-of-ours" });
    await device.call("enter", { id: "user-of-ours" });
    const users = await guest.call("keys");
    expect((await device.call("keys")).body).toEqual(users.body);
    expect((await device.call("getBasket")).body.basket.key).toEqual(users.body[0]);
    expect(users.body).not.toEqual(body);
    expect(users.body.join()).not.toContain("user-of-ours");
    expect((await client().call("keys")).body).not.toEqual(body);
  });

  test("calls any method in the same session with callRpc, with the same checks", async () => {
    const getUser = run(() => "replaced");
    const nested = run(async ({ callRpc, sessionId, user }) => {
      await callRpc("remember", { a: 1 });
      const answers = [await callRpc("getUser"), await callRpc("recall"), await callRpc("nothing")];
      return [...answers, user ?? null, sessionId ?? null];
    });
    const nothing = run(() => undefined);
    const pass = defineRpcMethod({
      input: z.tuple([z.string(), z.unknown()]),
      handler: ([method, payload], { callRpc }) => callRpc(method, payload),
    });
    const { client } = await start({ methods: { ...basics, getUser, nested, nothing, pass } });
    const guest = client();
    expect((await guest.call("nested")).body).toEqual(["replaced", { a: 1 }, null, null, null]);
    expect((await guest.call("recall")).body).toEqual({ a: 1 });
    const refusals = [
      [["addItemToBasket", { variantId: 7, quantity: 0 }], 422, "invalid_input"],
      [["listSessions"], 401, "not_logged_in"],
      [["nope"], 404, "unknown_method"],
      [["__proto__"], 404, "unknown_method"],
      [["constructor"], 404, "unknown_method"],
    ] as const;
    for (const [[method, payload], status, code] of refusals) {
      const answer = await guest.call("pass", [method, payload ?? null]);
      expect(answer).toMatchObject({ status, body: { code } });
    }
  });

  test("begins one session for parallel calls of callRpc", async () => {
    const addMany = run(async ({ callRpc, updateCustomData }) => {
      updateCustomData({ a: 1 } as object);
      await Promise.all([
        ...many.map((index) => callRpc("addItemToBasket", { variantId: `v${index}`, quantity: 1 })),
        ...many.map((index) => callRpc("addItemToWishlist", { variantId: `v${index}` })),
        callRpc("remember", { b: 2 }),
      ]);
    });
    const { client } = await start({ methods: { ...basics, addMany } });
    const guest = client();
    expect((await guest.call("addMany")).setCookies).toHaveLength(1);
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(50);
    expect((await guest.call("getWishlist")).body.wishlist.items).toHaveLength(50);
    expect((await guest.call("recall")).body).toEqual({ a: 1, b: 2 });
  });

  test("provides headers without credentials, and a log with the shop and the method", async () => {
    const look = run(({ headers, log }) => {
      log.info("looked", { own: 1 });
      return Object.fromEntries(headers);
    });
    const { client, lines } = await start({ methods: { ...basics, look } });
    const guest = client();
    await guest.call("remember", { a: 1 });
    const credentials = { authorization: "Bearer x", "proxy-authorization": "Basic x" };
    const { body } = await guest.call("look", undefined, { ...credentials, "x-campaign": "y" });
    expect(body).toMatchObject({ "x-campaign": "y", "x-shop-id": "1001" });
    expect(Object.keys(body)).not.toContain("cookie");
    expect(JSON.stringify(body)).not.toContain("authorization");
    const details = { own: 1, shopId: 1001, method: "look" };
    expect(lines).toContainEqual({ level: "info", message: "looked", details });
  });
});

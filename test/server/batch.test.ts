import { expect, test, vi } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { RpcError } from "../../rpc/error.ts";
import type { Answer } from "../_cookie-client.ts";
import { describeServers } from "../_setup.ts";
import { sendBatch } from "../fixtures/batches.ts";

const methods = {
  remember: defineRpcMethod({
    input: z.strictObject({ name: z.string(), value: z.int() }),
    handler({ name, value }, { customData, updateCustomData }) {
      updateCustomData({ [name]: value });
      return customData;
    },
  }),
  nothing: defineRpcMethod({ handler: () => undefined }),
  text: defineRpcMethod({ handler: () => 'a "text"' }),
  key: defineRpcMethod({ handler: (_, { headers }) => headers.get("idempotency-key") ?? "none" }),
  invoice: defineRpcMethod({ handler: () => new Response("%PDF") }),
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  enterAs: defineRpcMethod({ signsIn: true, handler: () => true }),
  leave: defineRpcMethod({ handler: (_, { destroySession }) => destroySession() }),
  whoAmI: defineRpcMethod({
    readOnly: true,
    handler: (_, { sessionId, user }) => ({ sessionId: sessionId ?? null, user: user?.id ?? null }),
  }),
  soldOut: defineRpcMethod({
    handler() {
      throw new RpcError("sold_out", { status: 409, title: "Sold out" });
    },
  }),
  busy: defineRpcMethod({
    handler() {
      throw new RpcError("too_busy", { headers: { "retry-after": "3" } });
    },
  }),
};

describeServers("a batch", ({ start, allowErrors }) => {
  test("runs its calls in order, and returns each status and result", async () => {
    const { client } = await start({ methods });
    const { status, headers, body } = await sendBatch(client(), [
      { method: "remember", payload: { name: "a", value: 1 } },
      { method: "remember", payload: { name: "b", value: 2 } },
      { method: "nothing" },
      { method: "text" },
      { method: "remember", payload: { name: "c", value: 3 } },
    ]);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toEqual([
      { status: 200, body: {} },
      { status: 200, body: { a: 1 } },
      { status: 204 },
      { status: 200, body: 'a "text"' },
      { status: 200, body: { a: 1, b: 2 } },
    ]);
  });

  test("begins one session at a guest's first write, and sets one cookie", async () => {
    const { client } = await start({ methods });
    const guest = client();
    const { body, setCookies } = await sendBatch(guest, [
      { method: "whoAmI" },
      { method: "addItemToBasket", payload: { variantId: 7, quantity: 1 } },
      { method: "addItemToBasket", payload: { variantId: 8, quantity: 2 } },
      { method: "whoAmI" },
      { method: "addItemToWishlist", payload: { variantId: 9 } },
      { method: "whoAmI" },
    ]);
    expect(setCookies).toHaveLength(1);
    expect(body[0].body.sessionId).toBeNull();
    expect(body[2].body.basket.itemCount).toBe(3);
    expect(body[3].body.sessionId).toBe(guest.sessionId);
    expect(body[5].body.sessionId).toBe(guest.sessionId);
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(3);
    expect(
      (await sendBatch(guest, [{ method: "getBasket" }, { method: "getUser" }])).setCookies,
    ).toEqual([]);
  });

  test("sets no cookie for a guest who only reads", async () => {
    const { client } = await start({ methods });
    const { setCookies } = await sendBatch(client(), [
      { method: "getBasket" },
      { method: "getUser" },
    ]);
    expect(setCookies).toEqual([]);
  });

  test("returns an error response for each call that fails, and runs the others", async () => {
    const { client } = await start({ methods });
    const { status, body } = await sendBatch(client(), [
      { method: "soldOut" },
      { method: "unknown" },
      { method: "__proto__" },
      { method: "addItemToBasket", payload: { variantId: 7 } },
      { method: "listSessions" },
      { method: "text" },
    ]);
    expect(status).toBe(200);
    expect(body.map((one: Answer) => [one.status, one.body.code])).toEqual([
      [409, "sold_out"],
      [404, "unknown_method"],
      [404, "unknown_method"],
      [422, "invalid_input"],
      [401, "not_logged_in"],
      [200, undefined],
    ]);
    expect(body[3].body.errors).toMatchObject([{ path: ["quantity"] }]);
  });

  test("rejects each method that signs in or out, and doesn't run it", async () => {
    const { client } = await start({ methods });
    const person = { email: "ada@example.com", password: "correct horse" };
    const names = ["login", "register", "logout", "logoutEverywhere", "revokeSession"];
    const moves = ["reauthenticate", "updatePassword", "updateEmail", "enterAs"];
    const visitor = client();
    const { body, setCookies } = await sendBatch(visitor, [
      ...[...names, ...moves].map((method) => ({ method, payload: person })),
      { method: "whoAmI" },
    ]);
    for (const one of body.slice(0, -1)) {
      expect(one).toMatchObject({ status: 400, body: { code: "not_batchable", executed: false } });
      expect(one.body.detail).toContain("in a request of its own");
    }
    expect(body.at(-1).status).toBe(200);
    expect(setCookies).toEqual([]);
    expect((await visitor.call("login", person)).status).toBe(401);
  });

  test("rejects the result of a method that returns a Response", async () => {
    const { client } = await start({ methods });
    const { headers, body } = await sendBatch(client(), [
      { method: "invoice" },
      { method: "text" },
    ]);
    expect(body[0]).toMatchObject({ status: 400, body: { code: "not_batchable", executed: true } });
    expect(body[0].body.detail).toMatch(/^invoice returned a Response/);
    expect(body[1].status).toBe(200);
    expect(headers.has("storefront-response")).toBe(false);
  });

  test("runs later calls as the user if a call logs in, and as a guest if a call logs out", async () => {
    const { client } = await start({ methods });
    const visitor = client();
    const calls = ["whoAmI", "enter", "whoAmI", "leave", "whoAmI"].map((method) => ({ method }));
    const { body, setCookies } = await sendBatch(visitor, calls);
    expect([0, 2, 4].map((index) => body[index].body.user)).toEqual([null, 7, null]);
    expect(setCookies).toHaveLength(1);
    expect(visitor.cookies.size).toBe(0);
  });

  test("gives each call its own idempotency key", async () => {
    const { client } = await start({ methods });
    const calls = [{ method: "key", key: "a-1" }, { method: "key" }, { method: "key", key: "a-2" }];
    const { body } = await sendBatch(client(), calls, { "idempotency-key": "of-the-batch" });
    expect(body.map((one: Answer) => one.body)).toEqual(["a-1", "none", "a-2"]);
  });

  test("sends the longest Retry-After of its calls", async () => {
    allowErrors();
    const { client } = await start({ methods });
    const { headers, body } = await sendBatch(client(), [{ method: "busy" }, { method: "text" }]);
    expect(body[0]).toMatchObject({ status: 503, body: { code: "too_busy" } });
    expect(headers.get("retry-after")).toBe("3");
  });

  test("writes a log line, and calls the hooks, for each call", async () => {
    const before = vi.fn();
    const after = vi.fn();
    const hooks = {
      "storefront:rpc:before": ({ method }: { method: string }) => before(method),
      "storefront:rpc:after": ({ method }: { method: string }) => after(method),
    };
    const logging = defineRpcMethod({ handler: (_, { log }) => log.info("It runs") });
    const { client, lines } = await start({ methods: { ...methods, logging }, hooks });
    await sendBatch(client(), [{ method: "logging" }, { method: "text" }, { method: "logging" }]);
    expect(before.mock.calls.flat()).toEqual(["logging", "text", "logging"]);
    expect(after.mock.calls.flat()).toEqual(["logging", "text", "logging"]);
    const details = { shopId: 1001, method: "logging" };
    const own = lines.filter(({ message }) => message === "It runs");
    expect(own).toMatchObject([{ details }, { details }]);
  });
});

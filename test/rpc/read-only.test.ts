import { describe, expect, test } from "vitest";
import { createTestClock } from "../../server/testing/test-clock.ts";
import type { RpcContext } from "../../rpc/context.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { CookieClient } from "../_cookie-client.ts";
import { createSetup } from "../_setup.ts";

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));
const user = { id: 7, firstName: "Ada" };
const item = { variantId: 7, quantity: 1 };
const account = { email: "ada@shop.example", password: "correct horse battery" };

/** Every change that a method can make. */
const changes: Readonly<Record<string, (context: RpcContext) => unknown>> = {
  updateUser: ({ updateUser }) => updateUser({ ...user, firstName: "Eve" }),
  updateUserOfGuest: ({ updateUser }) => updateUser({ id: 8 }),
  createUserBoundSession: ({ createUserBoundSession }) => createUserBoundSession({ id: 8 }),
  destroySession: ({ destroySession }) => destroySession(),
  destroySessionsForUserId: ({ destroySessionsForUserId }) => destroySessionsForUserId(7),
  updateCustomData: ({ updateCustomData }) => updateCustomData({ planted: 1 } as object),
  updateTokens: ({ updateTokens }) => updateTokens({ accessToken: "planted" }),
  removeTokens: ({ updateTokens }) => updateTokens(undefined),
  changeBasket: ({ changeBasket }) => changeBasket((basket) => ({ ...basket, items: [] })),
  changeWishlist: ({ changeWishlist }) => changeWishlist((list) => ({ ...list, items: [] })),
  endOne: ({ sessions }) => sessions.end(7, "unknown"),
  endAll: ({ sessions }) => sessions.endAll(7),
  login: ({ auth }) => auth.login(account),
  register: ({ auth }) => auth.register(account),
  verifyPassword: ({ auth }) => auth.verifyPassword(user, "wrong password"),
  changePassword: ({ auth }) =>
    auth.changePassword({ user, oldPassword: account.password, newPassword: "another password" }),
  updateAccount: ({ auth }) => auth.updateUser({ user, profile: { firstName: "Eve" } }),
  changeEmail: ({ auth }) => auth.changeEmail({ user, email: "eve@shop.example" }),
  addItemToBasket: ({ callRpc }) => callRpc("addItemToBasket", item),
  logout: ({ callRpc }) => callRpc("logout"),
  extended: (context) => context.with({ more: 1 }).updateUser({ ...user, firstName: "Eve" }),
};

const methods = {
  begin: defineRpcMethod({
    async handler(_, { createUserBoundSession, updateTokens, updateCustomData, callRpc }) {
      await createUserBoundSession(user);
      updateTokens({ accessToken: "kept" });
      updateCustomData({ kept: 1 } as object);
      await callRpc("addItemToBasket", item);
    },
  }),
  /** The state that the changes must leave as it is. */
  show: defineRpcMethod({
    verb: "GET",
    async handler(_, { user: found, customData, readTokens, readBasket, sessionId }) {
      return { found, customData, tokens: await readTokens(), ...(await readBasket()), sessionId };
    },
  }),
  keys: defineRpcMethod({
    verb: "GET",
    handler: (_, { basketKey, wishlistKey }) => ({ basketKey, wishlistKey }),
  }),
  keysByPost: defineRpcMethod({ handler: (_, { basketKey }) => basketKey }),
  obtain: defineRpcMethod({
    verb: "GET",
    handler: (_, { obtainTokens }) =>
      obtainTokens(async () => ({ accessToken: "renewed" }), { rejected: { accessToken: "kept" } }),
  }),
  rotate: defineRpcMethod({ verb: "GET", handler: (_, { sessions }) => sessions.rotate() }),
  spread: defineRpcMethod({ verb: "GET", handler: (_, context) => Object.keys({ ...context }) }),
  list: defineRpcMethod({ verb: "GET", handler: (_, { sessions }) => sessions.list(7) }),
  ...Object.fromEntries(
    Object.entries(changes).map(([name, change]) => [
      `try${name}`,
      defineRpcMethod({
        verb: "GET",
        async handler(_, context) {
          // A method can catch the error; the change is still not made.
          const error = await Promise.resolve()
            .then(() => change(context))
            .catch((reason: unknown) => reason);
          return error instanceof Error ? error.message : "changed";
        },
      }),
    ]),
  ),
};

const get = (visitor: CookieClient, name: string) => visitor.request(`/de/api/rpc/${name}`);

describe.each(["GET", "POST"])("a method with the verb GET, called by %s", (verb) => {
  const send = (visitor: CookieClient, name: string) =>
    verb === "GET" ? get(visitor, name) : visitor.call(name);

  test.each(Object.keys(changes))("can't change anything by %s", async (name) => {
    const { client } = await start({ methods });
    const visitor = client();
    await visitor.call("begin");
    const before = (await send(visitor, "show")).body;
    expect(before).toMatchObject({ found: user, basket: { itemCount: 1 } });
    const answer = await send(visitor, `try${name}`);
    expect(answer).toMatchObject({ status: 200, setCookies: [] });
    expect(answer.body).toBe(
      `Method "try${name}" can't change anything, because its verb is GET. Remove its verb, or make the change in a method without GET`,
    );
    expect((await send(visitor, "show")).body).toEqual(before);
  });

  test.each(Object.keys(changes))("begins no session for a guest by %s", async (name) => {
    const { client } = await start({ methods });
    const answer = await send(client(), `try${name}`);
    expect(answer).toMatchObject({ status: 200, setCookies: [] });
    expect(answer.body).toContain("its verb is GET");
  });
});

test("can't rotate the session's ID in a method with the verb GET", async () => {
  allowErrors();
  const { client, lines } = await start({ methods });
  const visitor = client();
  await visitor.call("begin");
  const { sessionId } = visitor;
  expect(await get(visitor, "rotate")).toMatchObject({
    status: 500,
    body: { code: "internal_error" },
    setCookies: [],
  });
  expect(visitor.sessionId).toBe(sessionId);
  const [line] = lines.filter(({ level }) => level === "error");
  expect(line?.details?.["error"]).toContain("its verb is GET");
});

test("reads keys of lists by GET without beginning a session or a list", async () => {
  const { client } = await start({ methods });
  const guest = client();
  const { body, setCookies } = await get(guest, "keys");
  expect(setCookies).toEqual([]);
  expect(body.basketKey).toMatch(/^[\da-f-]{36}$/);
  const begun = await guest.call("keysByPost");
  expect(begun.setCookies).toHaveLength(1);
  expect((await get(guest, "keys")).body.basketKey).toBe(begun.body);
});

test("renews tokens by GET, and stores them only in a session", async () => {
  const { client } = await start({ methods });
  const visitor = client();
  await visitor.call("begin");
  expect((await get(visitor, "obtain")).body).toMatchObject({ accessToken: "renewed" });
  expect((await get(visitor, "show")).body.tokens).toMatchObject({ accessToken: "renewed" });
  const guest = client();
  const obtained = await get(guest, "obtain");
  expect(obtained.body).toMatchObject({ accessToken: "renewed" });
  expect(obtained.setCookies).toEqual([]);
});

test("reads everything by GET, also with a spread of the context", async () => {
  const { client } = await start({ methods });
  const visitor = client();
  await visitor.call("begin");
  expect((await get(visitor, "spread")).body).toContain("basketKey");
  expect((await get(visitor, "list")).body).toMatchObject([{ current: true, shopId: 1001 }]);
});

test("extends the session and renews its ID by GET", async () => {
  const clock = createTestClock();
  const { client } = await start({ methods }, { clock });
  const visitor = client();
  await visitor.call("begin");
  const { sessionId } = visitor;
  await clock.advance(5 * 3600);
  const answer = await get(visitor, "show");
  expect(answer.body).toMatchObject({ found: user });
  expect(answer.setCookies).toHaveLength(1);
  expect(visitor.sessionId).not.toBe(sessionId);
});

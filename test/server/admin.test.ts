import { expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { describeStorages, type TestStorefront } from "../_setup.ts";
import type { CookieClient } from "../_cookie-client.ts";
import { describeTwoServers } from "../fixtures/two-servers.ts";
import { testMethods } from "../fixtures/methods.ts";

const token = "an-admin-token-of-more-than-32-characters";
const base = {
  methods: testMethods,
  admin: { token: ["another-token-of-more-than-32-characters", token] },
};

async function ask(
  { send }: TestStorefront,
  call: string,
  payload?: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${token}` },
) {
  const response = await send(`/api/admin/${call}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ payload }),
  });
  return { status: response.status, body: await response.json() };
}

async function enter(storefront: TestStorefront, id: number, shopId = 1001): Promise<CookieClient> {
  const client = storefront.client(shopId);
  await client.call("enter", { id });
  return client;
}

async function isAlive(client: CookieClient): Promise<boolean> {
  const { user } = (await client.call("getUser")).body;
  return user !== undefined || (await client.call("notes")).body.alive === true;
}

async function whoAreAlive(clients: readonly CookieClient[]): Promise<boolean[]> {
  return Promise.all(clients.map(isAlive));
}

describeStorages("the admin API", ({ start }) => {
  test("ends one user's sessions, in all shops or in some", async () => {
    const storefront = await start(base);
    const clients = [
      await enter(storefront, 7),
      await enter(storefront, 7, 1002),
      await enter(storefront, 8),
    ];
    const some = { userId: 7, shopIds: [1002] };
    expect(await ask(storefront, "endUserSessions", some)).toEqual({
      status: 200,
      body: { ended: 1 },
    });
    expect(await whoAreAlive(clients)).toEqual([true, false, true]);
    expect((await ask(storefront, "endUserSessions", { userId: "7" })).body).toEqual({ ended: 1 });
    expect(await whoAreAlive(clients)).toEqual([false, false, true]);
    expect((await ask(storefront, "endUserSessions", { userId: 7 })).body).toEqual({ ended: 0 });
  });

  test("makes cached values with a tag invalid, in all shops or in some", async () => {
    let version = 1;
    const read = defineRpcMethod({
      access: "public",
      handler: (_, { cached }) =>
        cached("product:7", 60, ({ tag }) => {
          tag("product:7");
          return version;
        }),
    });
    const storefront = await start({ ...base, methods: { read } });
    const reads = async () => [
      (await storefront.client(1001).call("read")).body,
      (await storefront.client(1002).call("read")).body,
    ];
    expect(await reads()).toEqual([1, 1]);
    version = 2;
    const tags = ["product:7", "product:8"];
    const some = await ask(storefront, "invalidateCache", { tags, shopIds: [1002] });
    expect(some).toEqual({ status: 200, body: { shopIds: [1002] } });
    expect(await reads()).toEqual([1, 2]);
    const all = await ask(storefront, "invalidateCache", { tags });
    expect(all.body).toEqual({ shopIds: [1001, 1002] });
    expect(await reads()).toEqual([2, 2]);
    for (const payload of [undefined, {}, { tags: [] }, { tags: [""] }, { tags: "product:7" }]) {
      expect((await ask(storefront, "invalidateCache", payload)).status).toBe(422);
    }
  });

  test("ends all sessions of some or all shops, and allows new ones", async () => {
    const storefront = await start(base);
    const guest = storefront.client();
    await guest.call("note", { alive: true });
    const clients = [guest, await enter(storefront, 7), await enter(storefront, 7, 1002)];
    expect((await ask(storefront, "endAllSessions", { shopIds: [1001] })).body).toEqual({
      shopIds: [1001],
    });
    expect(await whoAreAlive(clients)).toEqual([false, false, true]);
    const again = await enter(storefront, 7);
    expect(await isAlive(again)).toBe(true);
    expect((await again.call("listSessions")).body.sessions).toHaveLength(2);
    expect((await ask(storefront, "endAllSessions")).body).toEqual({ shopIds: [1001, 1002] });
    expect(await whoAreAlive([...clients, again])).toEqual([false, false, false, false]);
    const last = await enter(storefront, 7);
    expect((await last.call("listSessions")).body.sessions).toHaveLength(1);
  });

  test("accepts the admin token only", async () => {
    const storefront = await start(base);
    const user = await enter(storefront, 7);
    const wrong: Record<string, string>[] = [
      {},
      { authorization: token },
      { authorization: `Basic ${token}` },
      { authorization: "Bearer" },
      { authorization: `Bearer ${token.slice(0, -1)}` },
      { authorization: `Bearer ${token}x` },
      { cookie: user.cookieHeader },
    ];
    for (const headers of wrong) {
      for (const call of ["endAllSessions", "endUserSessions", "nothing"]) {
        const answer = await ask(storefront, call, { userId: 7 }, headers);
        expect(answer).toMatchObject({ status: 401, body: { code: "not_an_operator" } });
      }
    }
    expect(await isAlive(user)).toBe(true);
    const told = storefront.lines.filter(({ message }) => message === "An admin call was rejected");
    expect(told).toHaveLength(3 * wrong.length);
    expect(JSON.stringify(told)).not.toContain(token.slice(0, 10));
  });

  test("explains an invalid call", async () => {
    const storefront = await start(base);
    const user = await enter(storefront, 7);
    const faults: [string, unknown, number, string][] = [
      ["endUserSessions", undefined, 422, "invalid_input"],
      ["endUserSessions", { userId: "" }, 422, "invalid_input"],
      ["endUserSessions", { userId: 7, shopIds: [] }, 422, "invalid_input"],
      ["endAllSessions", { shopIds: [1001, 9] }, 404, "unknown_shop"],
      ["endAllSessions", { shops: [1001] }, 422, "invalid_input"],
      ["toString", undefined, 404, "unknown_method"],
    ];
    for (const [call, payload, status, code] of faults) {
      expect(await ask(storefront, call, payload)).toMatchObject({ status, body: { code } });
    }
    const get = await storefront.send("/api/admin/endAllSessions", {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(get.status).toBe(405);
    expect(await isAlive(user)).toBe(true);
  });

  test("doesn't exist without a token in the config", async () => {
    const storefront = await start({ methods: testMethods });
    const answer = await ask(storefront, "endAllSessions");
    expect(answer).toMatchObject({ status: 404, body: { code: "unknown_path" } });
  });
});

describeTwoServers("endAllSessions", ({ startTwo }) => {
  test("ends sessions on other servers too", async () => {
    const [here, there] = await startTwo(base);
    const user = await enter(there, 7);
    expect(await isAlive(user)).toBe(true);
    await ask(here, "endAllSessions");
    await expect.poll(() => isAlive(user)).toBe(false);
  });

  test("rejects later writes of a call in progress", async () => {
    let during: (() => Promise<unknown>) | undefined;
    const slowly = defineRpcMethod({
      async handler(_, { updateCustomData }) {
        await during?.();
        updateCustomData({ written: true } as object);
      },
    });
    const config = { ...base, methods: { ...testMethods, slowly } };
    const [here] = await startTwo(config);
    for (const begin of ["enter", "note"]) {
      const client = here.client();
      await client.call(begin, { id: 7 });
      during = () => ask(here, "endAllSessions");
      const answer = await client.call("slowly");
      expect(answer).toMatchObject({ status: 409, body: { code: "session_changed" } });
    }
  });
});

describeTwoServers("the end of one user's sessions", ({ startTwo }) => {
  test.each(["addItemToBasket", "addItemToWishlist"])(
    "rejects later writes of %s in progress, on other servers too",
    async (method) => {
      let during: (() => Promise<unknown>) | undefined;
      const slowly = defineRpcMethod({
        async handler(_, { callRpc }) {
          await during?.();
          await callRpc(method, {
            variantId: 7,
            ...(method.endsWith("Basket") && { quantity: 1 }),
          });
        },
      });
      const [here, there] = await startTwo({ ...base, methods: { ...testMethods, slowly } });
      const client = await enter(here, 7);
      during = async () => {
        await ask(there, "endUserSessions", { userId: 7 });
        await expect.poll(() => isAlive(client)).toBe(false);
      };
      const answer = await client.call("slowly");
      expect(answer).toMatchObject({ status: 409, body: { code: "session_changed" } });
      const later = await enter(here, 7);
      expect((await later.call("getBasket")).body.basket.items).toEqual([]);
      expect((await later.call("getWishlist")).body.wishlist.items).toEqual([]);
    },
  );
});

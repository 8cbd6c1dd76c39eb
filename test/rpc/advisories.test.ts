import { expect, test, vi } from "vitest";
import { createTestClock } from "../../server/testing/test-clock.ts";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { createBarrier } from "../fixtures/barrier.ts";
import { itemsOf, line, twinAt, userOf } from "../fixtures/clients.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";
import { describeOverHttp, fiftyTimes } from "../fixtures/two-servers.ts";

// Classes of advisories and public reports of 2025 and 2026, each tried over HTTP. The comment of a test
// names the class and a program that it struck; docs/security.md has the table.

describeOverHttp("an ended session", ({ startTwo, stored }) => {
  // In-flight revival: a slow request saves a session that was deleted in between (rack-session, CVE-2025-46336).
  test("doesn't return through a call that was in progress at the logout", async () => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("login", as(7));
    const barrier = await createBarrier();
    const payload = { barrier: barrier.url, method: "note", payload: { late: true } };
    const slow = client.clone().call("slowly", payload);
    await barrier.reached();
    await twinAt(two, client).call("logout");
    barrier.open();
    expect(await slow).toMatchObject({ status: 409, setCookies: [] });
    expect(await userOf(client.clone())).toBeUndefined();
  });

  // A second store or cache keeps a revoked session (authentik, CVE-2025-29928; Mattermost, CVE-2026-9162).
  test("doesn't survive in the cache of another server", async () => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("login", as(7));
    const elsewhere = twinAt(two, client);
    expect(await userOf(elsewhere)).toBeDefined();
    await client.clone().call("logoutEverywhere");
    await vi.waitFor(async () => expect(await userOf(elsewhere.clone())).toBeUndefined());
  });

  // Expiry by a clean-up job only: an expired session counts until it is deleted (@fastify/session, CVE-2024-35220).
  test("gives no access after its expiration, even if its record is still stored", async () => {
    // Not a whole second: then the sweep would run at the same time.
    const clock = createTestClock(new Date("2026-01-01T00:00:00.500Z"));
    const [one] = await startTwo({ session: { maxAge: 100 } }, clock);
    const client = one.client();
    await client.call("login", as(7));
    await clock.advance(100);
    expect(await stored("session:1001:")).toHaveLength(1);
    expect(await userOf(client)).toBeUndefined();
  });

  // Revoke-all with a bound: only the first page of a user's sessions ends (authup, pull request 3404).
  test("gives no access after logoutEverywhere, even with 120 sessions", async () => {
    const [one, two] = await startTwo({ session: { maxSessionsPerUser: 200 } });
    const devices = Array.from({ length: 120 }, () => one.client());
    for (const device of devices) await device.call("enter", { id: 7 });
    await devices[0]?.clone().call("logoutEverywhere");
    const users = await Promise.all(devices.map((device) => userOf(twinAt(two, device))));
    expect(users.filter((user) => user !== undefined)).toEqual([]);
  });

  // Password change that leaves other sessions (Strapi, CVE-2026-22706; blueprintUE, CVE-2026-40587).
  test("gives no access: every other session of the user after a new password", async () => {
    const [one, two] = await startTwo();
    const [owner, thief] = [one.client(), two.client()];
    await owner.call("login", as(7));
    await thief.call("login", as(7));
    await owner.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    expect(await userOf(owner)).toBeDefined();
    await vi.waitFor(async () => expect(await userOf(thief)).toBeUndefined());
  });
});

describeOverHttp("a session ID", ({ startTwo }) => {
  // Session fixation: an attacker's session ID is logged in with the victim (OpenCart, CVE-2021-47923 of 2026).
  test("doesn't get logged in if an attacker planted it before the login", async () => {
    const [one] = await startTwo();
    const attacker = one.client();
    await attacker.call("addItemToBasket", line);
    const victim = attacker.clone();
    await victim.call("login", as(7));
    expect(victim.sessionId).not.toBe(attacker.sessionId);
    expect(await userOf(attacker.clone())).toBeUndefined();
    const invented = one.client();
    invented.cookies.set("$session-1001", "s:7:attackers-own-id.AAAA");
    await invented.call("addItemToBasket", line);
    expect(invented.sessionId).not.toContain("attackers-own-id");
  });

  // A regenerated ID whose old one lives (PHP's session_regenerate_id keeps the old session by default).
  test.each([
    ["login", as(7)],
    ["reauthenticate", { password: "correct horse" }],
    ["updatePassword", { oldPassword: "old", newPassword: "battery staple" }],
  ])("gives no access after %s replaced it", async (method, payload) => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("login", as(7));
    const before = client.clone();
    expect((await client.call(method, payload)).status).toBeLessThan(300);
    expect(client.sessionId).not.toBe(before.sessionId);
    expect(await userOf(before.clone())).toBeUndefined();
    await vi.waitFor(async () => expect(await userOf(twinAt(two, before))).toBeUndefined());
  });

  // One customer's session becomes another's: state of a request leaks into the next (FrankenPHP, CVE-2026-24894).
  test("returns the right user to each of 50 parallel visitors", async () => {
    const [one] = await startTwo();
    const clients = Array.from({ length: 50 }, () => one.client());
    await Promise.all(clients.map((client, id) => client.call("enter", { id: id + 1 })));
    for (let round = 0; round < 3; round++) {
      const users = await Promise.all(clients.map(userOf));
      expect(users.map((user) => user?.id)).toEqual(clients.map((_, id) => id + 1));
    }
  });

  // Expiry of privileged sessions: a right outlives its proof as long as the session is used (Open WebUI, CVE-2026-44553).
  test("loses its fresh login after freshFor, however much it is used", async () => {
    const clock = createTestClock();
    const auth = { ...trustingAuth, changeEmail: async () => ({ id: 7 }) };
    const [one] = await startTwo({ auth }, clock);
    const client = one.client();
    await client.call("login", as(7));
    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(60);
      await client.call("note", { minute });
    }
    const answer = await client.call("updateEmail", { email: "thief@example.com" });
    expect(answer).toMatchObject({ status: 401, body: { code: "reauthentication_required" } });
  });
});

describeOverHttp("a basket", ({ startTwo }) => {
  // A basket is attached without proof: its ID is enough to take it over (Medusa, pull request 10207).
  test("isn't attached to another visitor by its key", async () => {
    const [one] = await startTwo();
    const victim = one.client();
    const { key } = (await victim.call("addItemToBasket", line)).body.basket;
    const thief = one.client();
    for (const payload of [
      { ...as(9), basketKey: key },
      { ...as(9), key },
    ]) {
      expect((await thief.call("login", payload)).status).toBe(422);
    }
    thief.cookies.set("$session-1001", `s:${key}.${"A".repeat(43)}`);
    await thief.call("login", as(9));
    expect(await itemsOf(thief)).toEqual([]);
    expect(await itemsOf(victim)).toMatchObject([line]);
  });

  // A basket is read or changed by another's key or number (xmall, CVE-2025-65686; Spree, CVE-2026-22588 and 22589).
  test("isn't read or changed by its key, its user's ID, or the key of a line", async () => {
    const [one] = await startTwo();
    const victim = one.client();
    await victim.call("login", as(7));
    const { key, items } = (await victim.call("addItemToBasket", line)).body.basket;
    const thief = one.client();
    await thief.call("login", as(9));
    for (const payload of [{ key }, { basketKey: key }, { userId: 7 }]) {
      const answer = await thief.call("getBasket", payload);
      expect(JSON.stringify(answer.body)).not.toContain(items[0].key);
    }
    const itemKey = items[0].key;
    expect((await thief.call("removeItemFromBasket", { itemKey })).status).toBe(404);
    expect((await thief.call("updateBasketItem", { itemKey, quantity: 9 })).status).toBe(404);
    expect(await itemsOf(victim)).toMatchObject([line]);
  });

  // The old guest reference opens the basket that became a user's (Sylius ShopApiPlugin, issue 609).
  test("gives no access to the guest's old cookie after the login", async () => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("addItemToBasket", line);
    const old = client.clone();
    await client.call("login", as(7));
    for (const reader of [old.clone(), twinAt(two, old)]) {
      const { body } = await reader.call("getBasket");
      expect(body.basket?.items ?? []).toEqual([]);
      await reader.call("addItemToBasket", { variantId: 8, quantity: 1 });
    }
    expect(await itemsOf(client)).toMatchObject([line]);
  });

  // Unlocked read-modify-write: parallel requests each see the state before (Mattermost, CVE-2026-3590).
  test("keeps all of 50 parallel changes, at two servers", async () => {
    const [one, two] = await startTwo();
    const client = one.client();
    await client.call("addItemToBasket", line);
    const tabs = [client.clone(), twinAt(two, client)] as const;
    await fiftyTimes((index) => tabs[index % 2 ? 1 : 0].call("addItemToBasket", line));
    expect(await itemsOf(client)).toMatchObject([{ variantId: 7, quantity: 51 }]);
  });

  // A second login loses the basket, or takes another user's along (Vendure, issues 263 and 2283).
  test("survives a second login, and doesn't follow another user's login", async () => {
    const [one] = await startTwo();
    const client = one.client();
    await client.call("login", as(7));
    await client.call("addItemToBasket", line);
    await client.call("login", as(7));
    expect(await itemsOf(client)).toMatchObject([line]);
    await client.call("login", as(9));
    expect(await itemsOf(client)).toEqual([]);
    const device = one.client();
    await device.call("addItemToBasket", { variantId: 8, quantity: 1 });
    await device.call("login", as(7));
    expect((await itemsOf(device)).map(({ variantId }) => variantId)).toEqual([7, 8]);
  });
});

describeOverHttp("a shared cache", ({ startTwo }) => {
  // Responses that depend on a login are cached as public (authkit-nextjs, CVE-2025-64762).
  test("can't store any method's response to a user", async () => {
    const [one] = await startTwo();
    for (const method of Object.keys(builtinMethods)) {
      const client = one.client();
      await client.call("login", as(7));
      const { headers } = await client.call(method);
      expect(headers.get("cache-control"), method).toMatch(/no-store|private/);
    }
  });

  // Set-Cookie is stored by a shared cache (nextjs-auth0, CVE-2025-48947).
  test("never gets a cookie in a response that it may store", async () => {
    const [one] = await startTwo();
    const client = one.client();
    const responses = [
      await client.call("addItemToBasket", line),
      await client.call("login", as(7)),
      await client.request("/de/api/rpc/getShopConfiguration"),
      await client.call("getShopConfiguration"),
      await client.call("logout"),
    ];
    for (const { headers, setCookies } of responses) {
      if (setCookies.length > 0) expect(headers.get("cache-control")).toBe("no-store");
      else expect(headers.get("cache-control")).toBeTruthy();
    }
    expect(responses.map(({ setCookies }) => setCookies.length > 0)).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });
});

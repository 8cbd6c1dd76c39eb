import { expect, test } from "vitest";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { describeStorages, type TestStorefront } from "../../_setup.ts";
import { createCountingSystem, type TestGrant } from "../../fixtures/grant-calls.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";

const admin = "an-admin-token-of-more-than-32-characters";

const showGrant = defineCommerceMethod({ handler: (_input, { grant }) => grant as TestGrant });

/** Each way to end the session of the laptop. The phone is another session of the same user. */
const ends: Record<
  string,
  (devices: { laptop: CookieClient; phone: CookieClient; shop: TestStorefront }) => unknown
> = {
  logout: ({ laptop }) => laptop.call("logout"),
  async revokeSession({ phone }) {
    const { sessions } = (await phone.call("listSessions")).body;
    const other = sessions.find(({ current }: { current: boolean }) => !current);
    return phone.call("revokeSession", { handle: other.handle });
  },
  logoutEverywhere: ({ phone }) => phone.call("logoutEverywhere"),
  "logoutEverywhere of the other sessions": ({ phone }) =>
    phone.call("logoutEverywhere", { keepCurrent: true }),
  destroySessionsForUserId: ({ phone }) => phone.call("endSessions", { userId: 7 }),
  "a new password": ({ phone }) =>
    phone.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" }),
  "endUserSessions of the admin API": ({ shop }) =>
    callAdmin(shop, "endUserSessions", { userId: 7 }),
  "endAllSessions of the admin API": ({ shop }) => callAdmin(shop, "endAllSessions", {}),
  "a login above the limit": async ({ shop }) => {
    for (let count = 0; count < 2; count++) await shop.client().call("login", as(7));
  },
  "a login as another user": ({ laptop }) => laptop.call("login", as(8)),
  "a new login of the same user": ({ laptop }) => laptop.call("login", as(7)),
};

describeStorages("a session that ends here", ({ start }) => {
  test.each(Object.entries(ends))(
    "ends in the commerce system by %s",
    async (_, end) => {
      const system = createCountingSystem();
      const shop = await start({
        auth: trustingAuth,
        admin: { token: admin },
        session: { maxSessionsPerUser: 3 },
        commerce: { name: "test", grants: system.grants },
        methods: { ...testMethods, showGrant },
      });
      const [laptop, phone] = [shop.client(), shop.client()];
      for (const device of [laptop, phone]) await device.call("login", as(7));
      const { token } = (await laptop.call("showGrant")).body;
      await phone.call("showGrant");
      const { status = 200 } = ((await end({ laptop, phone, shop })) ?? {}) as { status?: number };
      expect(status).toBeLessThan(300);
      await expect.poll(() => system.ended, { timeout: 4000 }).toContain(token);
    },
    15_000,
  );

  test("ends by a logout before the response, and can't be used again", async () => {
    const system = createCountingSystem();
    const { client } = await start({
      commerce: { name: "test", grants: system.grants },
      methods: { showGrant },
    });
    const guest = client();
    const thief = guest.clone();
    await guest.call("showGrant");
    for (const [name, value] of guest.cookies) thief.cookies.set(name, value);
    await guest.call("logout");
    expect(system.ended).toEqual(["begun-1"]);
    expect((await thief.call("showGrant")).body.code).toBe("session_ended");
    expect(system.begun).toBe(1);
  });

  test("ends while the commerce system hangs, after two seconds at most", async () => {
    const system = createCountingSystem();
    const { client } = await start({
      commerce: { name: "test", grants: system.grants },
      methods: { showGrant },
      callTimeout: 600,
    });
    const guest = client();
    await guest.call("showGrant");
    system.before = () => new Promise(() => {});
    // Without the limit, this call would last until `callTimeout`.
    expect((await guest.call("logout")).status).toBe(204);
  });
});

// --- Internal helpers ---

async function callAdmin({ send }: TestStorefront, call: string, payload: object) {
  return send(`/api/admin/${call}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
    body: JSON.stringify({ payload }),
  });
}

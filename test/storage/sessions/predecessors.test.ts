import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { createSetup } from "../../_setup.ts";
import { twinAt } from "../../fixtures/clients.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { describeTwoServers, fiftyTimes } from "../../fixtures/two-servers.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { retired } from "../../_sessions.ts";
import { observe, readStored, sessionIdOf, sessionsOf } from "../../fixtures/stored.ts";

// Each test has the name of a defect of earlier systems, and shows the opposite: parallel writes and merges.
// `predecessors-ends.test.ts` tests ends of sessions, `predecessors-wire.test.ts` tests requests.

describeTwoServers("defect 1: parallel session writes", ({ startTwo, stored }) => {
  test("keep all 50", async () => {
    const [one, two] = await startTwo();
    const tab = one.client();
    await tab.call("login", as(7));
    const tabs = [tab, twinAt(two, tab)] as const;
    const answers = await fiftyTimes((index) =>
      tabs[index % 2 ? 1 : 0].call("note", { [`field${index}`]: index }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    const [record, ...others] = sessionsOf(await stored("session:"));
    expect(others).toEqual([]);
    expect(record && sessionIdOf(record)).toBe(tab.sessionId);
    const fields = Array.from({ length: 50 }, (_, index) => [`field${index}`, index]);
    expect(record?.value.customData).toEqual(Object.fromEntries(fields));
  });

  test("keep all fields of the user", async () => {
    const [one, two] = await startTwo();
    const tab = one.client();
    await tab.call("login", as(7));
    await Promise.all([
      tab.call("updateUser", { firstName: "Ada" }),
      twinAt(two, tab).call("updateUser", { lastName: "Lovelace" }),
    ]);
    const [record] = sessionsOf(await stored("session:"));
    expect(record?.value.user).toMatchObject({ id: 7, firstName: "Ada", lastName: "Lovelace" });
  });

  test("keep 50 items of a guest's basket", async () => {
    const [one, two] = await startTwo();
    const tab = one.client();
    await tab.call("note", { begun: true });
    const tabs = [tab, twinAt(two, tab)] as const;
    await fiftyTimes((index) =>
      tabs[index % 2 ? 1 : 0].call("addItemToBasket", { variantId: index + 1, quantity: 1 }),
    );
    const [basket, ...others] = await stored("basket:");
    expect(others).toEqual([]);
    expect(basket?.value).toMatchObject({ revision: 50, items: { length: 50 } });
  });
});

describe("defect 3: a basket merge that fails at login", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("fails no login, rotates the ID, and is repeated later, once", async () => {
    const sessions = observe(createMemoryDriver());
    const baskets = observe(createMemoryDriver());
    const { client } = await start({
      auth: trustingAuth,
      methods: testMethods,
      storage: { session: sessions, basket: baskets },
    });
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    const before = guest.clone();
    const [old] = sessionsOf(await readStored(sessions, "session:"));
    baskets.isBroken = true;
    const login = await guest.call("login", as(7));
    expect(login).toMatchObject({ status: 200, body: { merge: { status: "pending" } } });
    expect(guest.sessionId).toMatch(/^7:/);
    const records = sessionsOf(await readStored(sessions, "session:"));
    expect(records.map(sessionIdOf)).toEqual([guest.sessionId]);
    const writesToOldId = sessions.writes.filter(({ key }) => key === old?.key);
    expect(writesToOldId.length).toBeGreaterThan(0);
    for (const { text } of writesToOldId) expect(JSON.parse(text).value.user).toBeUndefined();
    expect(await before.call("getUser")).toMatchObject(retired);
    baskets.isBroken = false;
    for (let call = 0; call < 2; call++) {
      const { body } = await guest.call("getBasket");
      expect(body.basket.items).toMatchObject([{ variantId: 7, quantity: 2 }]);
    }
  });

  test("a session storage that rejects the login leaves the guest a guest", async () => {
    const sessions = observe(createMemoryDriver());
    const { client, lines } = await start({ auth: trustingAuth, storage: { session: sessions } });
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    sessions.isBroken = true;
    expect(await guest.call("login", as(7))).toMatchObject({ status: 503, setCookies: [] });
    sessions.isBroken = false;
    lines.splice(0);
    expect((await guest.call("getUser")).body).toEqual({});
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(2);
    for (const { value } of sessionsOf(await readStored(sessions, "session:"))) {
      expect(value.user).toBeUndefined();
    }
  });
});

describeTwoServers("defect 4: two parallel logins", ({ startTwo, stored }) => {
  test("merge the guest's basket once, and a third adds nothing", async () => {
    const [one, two] = await startTwo();
    for (let user = 1; user <= 10; user++) {
      const earlier = one.client();
      await earlier.call("login", as(user));
      await earlier.call("addItemToBasket", { variantId: 7, quantity: 1 });
      const guest = one.client();
      await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
      await guest.call("addItemToBasket", { variantId: user + 100, quantity: 1 });
      await guest.call("addItemToWishlist", { productId: `p${user}` });
      const tabs = [guest.clone(), twinAt(two, guest)];
      const logins = await Promise.all(tabs.map((tab) => tab.call("login", as(user))));
      expect(logins.map(({ status }) => status)).toContain(200);
      await guest.call("login", as(user));
      await Promise.all([...tabs, guest].map((tab) => tab.call("getBasket")));
      const { basket } = (await earlier.call("getBasket")).body;
      const [kept] = await stored(`basket:1001:${basket.key}`);
      expect(kept?.value.items).toMatchObject([
        { variantId: 7, quantity: 3 },
        { variantId: user + 100, quantity: 1 },
      ]);
      expect((await earlier.call("getWishlist")).body.wishlist.items).toHaveLength(1);
    }
  });
});

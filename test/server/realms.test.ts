import { expect, test } from "vitest";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { describeStorages, type TestStorefront } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { createShop } from "../fixtures/shops.ts";

describeStorages("the shops of a realm", ({ start, storage }) => {
  const realms = (): Partial<StorefrontConfig> => ({
    methods: testMethods,
    shops: [
      createShop(1001, { realm: "eu" }),
      // A shop of the same realm, whose sessions are in another storage.
      createShop(1002, { realm: "eu", storage: { session: storage() } }),
      createShop(2001, { realm: "us" }),
      createShop(2002),
    ],
  });

  /** A browser of a customer at each of the shops. */
  async function enterAll({ client }: TestStorefront, id: string | number = 7) {
    const clients = [1001, 1002, 2001, 2002].map((shopId) => client(shopId));
    await Promise.all(clients.map((customer) => customer.call("enter", { id })));
    return clients as [V, V, V, V];
  }
  type V = ReturnType<TestStorefront["client"]>;

  async function whoIs(clients: readonly V[]): Promise<unknown[]> {
    const answers = await Promise.all(clients.map((client) => client.call("getUser")));
    return answers.map(({ body }) => body.user?.id ?? "guest");
  }

  test("end a user's sessions together, and keep those of other realms", async () => {
    const shop = await start(realms());
    const [customers, others] = [await enterAll(shop), await enterAll(shop, 77)];
    const office = shop.client(1002);
    expect((await office.call("endSessions", { userId: "7" })).body).toBe(2);
    expect(await whoIs(customers)).toEqual(["guest", "guest", 7, 7]);
    expect(await whoIs(others)).toEqual([77, 77, 77, 77]);
    expect((await office.call("endSessions", { userId: 7 })).body).toBe(0);
  });

  test("keep the sessions on the keep list", async () => {
    const shop = await start(realms());
    const customers = await enterAll(shop);
    const second = shop.client(1001);
    await second.call("enter", { id: 7 });
    const keep = [customers[1].sessionId, second.sessionId, "7:nothing", customers[2].sessionId];
    const ended = await customers[0].call("endSessions", { userId: 7, keep });
    expect(ended.body).toBe(1);
    expect(customers[0].cookies.size).toBe(0);
    expect(await whoIs([...customers, second])).toEqual(["guest", 7, 7, 7, 7]);
  });

  test("log out together with logoutEverywhere", async () => {
    const shop = await start(realms());
    const customers = await enterAll(shop);
    const keeping = await customers[0].call("logoutEverywhere", { keepCurrent: true });
    expect(keeping).toMatchObject({ body: { ended: 1 }, setCookies: [] });
    expect(await whoIs(customers)).toEqual([7, "guest", 7, 7]);
    expect((await customers[0].call("logoutEverywhere")).body).toEqual({ ended: 1 });
    expect(await whoIs(customers)).toEqual(["guest", "guest", 7, 7]);
  });

  test("list and revoke each other's sessions", async () => {
    const shop = await start(realms());
    const customers = await enterAll(shop);
    const { sessions } = (await customers[0].call("listSessions")).body;
    const shopIds = sessions.map(({ shopId }: { shopId: number }) => shopId);
    expect(shopIds.toSorted()).toEqual([1001, 1002]);
    const { handle } = sessions.find(({ current }: { current: boolean }) => !current);
    const strange = (await customers[2].call("listSessions")).body.sessions[0].handle;
    const refused = await customers[0].call("revokeSession", { handle: strange });
    expect(refused).toMatchObject({ status: 404, body: { code: "unknown_session" } });
    expect((await customers[0].call("revokeSession", { handle })).status).toBe(204);
    expect(await whoIs(customers)).toEqual([7, "guest", 7, 7]);
  });
});

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/method.ts";
import type { ShopConfig } from "../../server/config/keys/shop-keys.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createFaultyDriver } from "../_faulty-driver.ts";
import { createMatrix, describeMatrix, testSecret, type TestStorefront } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { readStored } from "../fixtures/stored.ts";

const url = "/api/rpc/getShopConfiguration";

describeMatrix("the shop of a call", ({ start }) => {
  test("is the one of the header, unless the path names another", async () => {
    const { visitor } = await start({ shopSelector: "path_or_default" });
    const headers = { "x-shop-id": "1002" };
    for (const path of ["", "/us"]) {
      const answer = await visitor().request(`${path}${url}`, { headers });
      expect(answer).toMatchObject({ status: 200, body: { shopId: 1002 } });
    }
    for (const path of ["/de", "/nowhere", "/1002"]) {
      const answer = await visitor().request(`${path}${url}`, { headers });
      expect(answer).toMatchObject({ status: 404, body: { code: "unknown_shop" } });
    }
  });

  const strange = [
    "01001",
    "0x3E9",
    "1e3",
    "1.001e3",
    "1001.0",
    "+1001",
    "-1001",
    "10 01",
    "1001n",
  ];

  test.each([...strange, "1001,1002", "1001, 1001", "", "de", "NaN", "__proto__", "9"])(
    "is none where the header says %j",
    async (shopId) => {
      const { visitor } = await start();
      for (const init of [{ method: "GET" }, { method: "POST" }]) {
        const answer = await visitor().request(`/de${url}`, {
          ...init,
          headers: { "x-shop-id": shopId },
        });
        expect(answer).toMatchObject({ status: 404, body: { code: "unknown_shop" } });
      }
    },
  );

  test("is the one of the path, letter by letter", async () => {
    const { visitor } = await start({ shopSelector: "path" });
    const found = (path: string) => visitor().request(`${path}${url}`);
    expect((await found("/de")).body.shopId).toBe(1001);
    expect((await found("/us")).body.shopId).toBe(1002);
    for (const path of ["", "/xx", "/DE", "/d", "/de-DE", "/1001", "/__proto__"]) {
      expect(await found(path)).toMatchObject({ status: 404, body: { code: "unknown_shop" } });
    }
    expect((await found("/shop/de")).body.code).toBe("unknown_path");
  });

  test("is the one of the host before the default", async () => {
    const shops = [
      { shopId: 1001, locale: "de-DE", currency: "EUR", host: "a.example", isDefault: true },
      { shopId: 1002, locale: "en-US", currency: "USD", host: "b.example" },
    ];
    const { app } = await start({ shopSelector: "path_or_default", shops });
    for (const [host, shopId] of [
      ["a.example", 1001],
      ["b.example", 1002],
      ["c.example", 1001],
    ] as const) {
      const response = await app.fetch(new Request(`http://${host}${url}`));
      expect(await response.json(), host).toMatchObject({ shopId });
    }
  });

  test("is the default one where the path names none", async () => {
    const { visitor } = await start({ shopSelector: "path_or_default" });
    expect((await visitor().request(url)).body.shopId).toBe(1001);
    expect((await visitor().request(`/us${url}`)).body.shopId).toBe(1002);
    expect((await visitor().request(`/xx${url}`)).body.code).toBe("unknown_shop");
    const other = await start({
      shopSelector: "path_or_default",
      shops: [createShop(1001, { path: "de" }), createShop(1002, { path: "us", isDefault: true })],
    });
    expect((await other.visitor().request(url)).body.shopId).toBe(1002);
    expect((await other.visitor().request(`/de${url}`)).body.shopId).toBe(1001);
  });

  test("is found below another base path too", async () => {
    const { visitor } = await start({ basePath: "/shop/api" });
    const answer = await visitor().request("/us/shop/api/rpc/getShopConfiguration");
    expect(answer.body.shopId).toBe(1002);
    expect((await visitor().request(`/us${url}`)).body.code).toBe("unknown_path");
  });
});

describe("the shop of a call by its host", () => {
  const { start } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test("is the one of the exact host, on any port unless one is said", async () => {
    const { app } = await start({
      shopSelector: "domain",
      shops: [
        createShop(1001, { host: "shop.example" }),
        createShop(1002, { host: "us.shop.example:8080" }),
      ],
    });
    expect(await find(app, "shop.example")).toBe(1001);
    expect(await find(app, "SHOP.example:8443")).toBe(1001);
    expect(await find(app, "us.shop.example:8080")).toBe(1002);
    const others = ["us.shop.example", "us.shop.example:80801", "shop.example.evil.example"];
    for (const host of ["localhost", "xshop.example", "example", others[0], others[2]]) {
      expect(await find(app, host as string)).toBe("unknown_shop");
    }
  });

  test("is told by the path where several shops are at one host", async () => {
    const { app } = await start({
      shopSelector: "domain",
      shops: [
        createShop(1001, { host: "shop.example", path: "de" }),
        createShop(1002, { host: "shop.example", path: "us" }),
        createShop(1003, { host: "other.example", path: "de" }),
        createShop(1004, { host: "both.example", path: undefined }),
        createShop(1005, { host: "both.example", path: "de" }),
      ],
    });
    expect(await find(app, "shop.example/de")).toBe(1001);
    expect(await find(app, "shop.example/us")).toBe(1002);
    expect(await find(app, "other.example/de")).toBe(1003);
    expect(await find(app, "both.example")).toBe(1004);
    expect(await find(app, "both.example/de")).toBe(1005);
    expect(await find(app, "shop.example")).toBe("unknown_shop");
    expect(await find(app, "shop.example/xx")).toBe("unknown_shop");
    expect(await find(app, "other.example/us")).toBe("unknown_shop");
  });

  test("is not changed by headers that anyone can send", async () => {
    const { app } = await start({
      shopSelector: "domain",
      shops: [createShop(1001, { host: "a.example" }), createShop(1002, { host: "b.example" })],
    });
    const headers = { "x-forwarded-host": "b.example", forwarded: "host=b.example" };
    const response = await app.fetch(new Request(`http://a.example${url}`, { headers }));
    expect((await response.json()).shopId).toBe(1001);
  });
});

describe("shops on one storage, with one secret", () => {
  const storage = createFaultyDriver();
  const { start } = createMatrix("memory", "request", () => storage.driver);

  test.each(["a guest", "a customer"])("%s of one shop is nobody at the other", async (who) => {
    const { visitor } = await start({ methods: testMethods });
    const [here, there] = [visitor(1001), visitor(1002)];
    if (who === "a customer") await here.call("enter", { id: 7 });
    await here.call("note", { colour: "red" });
    const before = await readStored(storage.driver, "session:1001");
    there.cookies.set("$session-1002", here.cookies.get("$session-1001") as string);
    expect((await there.call("getUser")).body).toEqual({});
    expect((await there.call("notes")).body).toEqual({});
    expect((await there.call("logout")).status).toBe(204);
    await there.call("note", { colour: "blue" });
    expect(there.sessionId).not.toBe(here.sessionId);
    expect(await readStored(storage.driver, "session:1001")).toEqual(before);
    expect((await here.call("notes")).body).toEqual({ colour: "red" });
  });

  test("a customer logs in to each, and the cookies lie side by side", async () => {
    const { visitor } = await start({ methods: testMethods });
    const here = visitor(1001);
    await here.call("enter", { id: 7 });
    const there = here.clone(1002);
    await there.call("enter", { id: 8 });
    expect([...there.cookies.keys()]).toEqual(["$session-1001", "$session-1002"]);
    expect((await there.call("getUser")).body.user.id).toBe(8);
    expect((await there.clone(1001).call("getUser")).body.user.id).toBe(7);
  });
});

describe("the settings of a shop", () => {
  const { start } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test("win key by key over those of all shops, and show in its cookie", async () => {
    const { visitor } = await start({
      methods: testMethods,
      session: { sameSite: "strict", maxAge: 600, cookieName: "sid" },
      shops: [
        createShop(1001),
        createShop(1002, {
          session: { cookieName: "us", maxAge: 60, sameSite: undefined, domain: "shop.example" },
        }),
        createShop(1003, { session: { sameSite: "none", secure: true, partitioned: true } }),
      ],
    });
    const cookieOf = async (shopId: number) => {
      const { setCookies } = await visitor(shopId).call("note", { begun: true });
      expect(setCookies).toHaveLength(1);
      const [pair = "", ...attributes] = (setCookies[0] as string).split("; ");
      return [pair.split("=")[0], ...attributes.toSorted()].join("; ");
    };
    const common = "HttpOnly; Max-Age=600; Path=/; SameSite";
    expect(await cookieOf(1001)).toBe(`sid-1001; ${common}=Strict`);
    expect(await cookieOf(1002)).toBe(
      "us-1002; Domain=shop.example; HttpOnly; Max-Age=60; Path=/; SameSite=Strict",
    );
    expect(await cookieOf(1003)).toBe(
      "sid-1003; HttpOnly; Max-Age=600; Partitioned; Path=/; SameSite=None; Secure",
    );
  });

  test.each([
    ["auto", "http", false],
    ["auto", "https", true],
    [true, "http", true],
    [false, "https", false],
  ] as const)(
    "let it be Secure as it should: secure: %s over %s is %s",
    async (secure, scheme, expected) => {
      const { app } = await start({ methods: testMethods, session: { secure } });
      const response = await app.fetch(
        new Request(`${scheme}://localhost/api/rpc/note`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "x-shop-id": "1001",
            "x-forwarded-proto": "https",
          },
          body: '{"payload":{"begun":true}}',
        }),
      );
      expect(response.headers.get("set-cookie")?.includes("; Secure")).toBe(expected);
    },
  );

  test("take the cookie away with the attributes it was set with", async () => {
    const session = { domain: "shop.example", sameSite: "none", partitioned: true } as const;
    const { visitor } = await start({
      methods: testMethods,
      shops: [createShop(1001, { session: { ...session, secure: true } })],
    });
    const customer = visitor();
    const begun = await customer.call("enter", { id: 7 });
    const ended = await customer.call("logout");
    const [, ...set] = (begun.setCookies[0] as string).split("; ");
    const [pair, ...cleared] = (ended.setCookies[0] as string).split("; ");
    expect(pair).toBe("$session-1001=");
    expect(cleared).toEqual(set.map((line) => line.replace(/^Max-Age=.*/, "Max-Age=0")));
  });

  test("let a secret of its own sign, which opens no other shop", async () => {
    const secret = "the-secret-of-the-second-shop-of-40-signs";
    const shops = [createShop(1001), createShop(1002, { session: { secret } })];
    const storage = { session: createFaultyDriver().driver };
    const { visitor } = await start({ methods: testMethods, shops, storage });
    const all = await start({ methods: testMethods, storage });
    const customer = visitor(1002);
    await customer.call("enter", { id: 7 });
    expect((await customer.call("getUser")).body.user.id).toBe(7);
    const elsewhere = all.visitor(1002);
    elsewhere.cookies.set("$session-1002", customer.cookies.get("$session-1002") as string);
    expect((await elsewhere.call("getUser")).body).toEqual({});
  });

  test("are public as far as a frontend needs them, and no further", async () => {
    const show = defineRpcMethod({ handler: (_, { shop }) => shop });
    const session = { secret: "the-secret-of-the-first-shop-of-40-signs." };
    const known = { locale: "de-DE", currency: "EUR", path: "de", host: "shop.example" };
    const { visitor } = await start({
      methods: { show },
      shops: [{ shopId: 1001, ...known, realm: "eu", session, basket: { maxItems: 5 } }],
    });
    for (const method of ["getShopConfiguration", "show"]) {
      expect((await visitor().call(method)).body).toEqual({ shopId: 1001, ...known });
    }
  });

  test("do not show in a context that is printed, and neither do the caller's credentials", async () => {
    const print = defineRpcMethod({
      handler: (_, context) => inspect([context, { ...context }], { depth: Infinity }),
    });
    const { visitor } = await start({ methods: { ...testMethods, print } });
    const guest = visitor();
    await guest.call("note", { begun: true });
    const printed = await guest.call("print", undefined, { authorization: "Bearer hunter2" });
    expect(printed.status).toBe(200);
    const shown = { testSecret, cookie: guest.cookieHeader, bearer: "hunter2" };
    for (const [name, secret] of Object.entries(shown)) {
      expect(printed.body.includes(secret), name).toBe(false);
    }
  });
});

describeMatrix("the shops of a realm", ({ start, storage }) => {
  const realms = (): Partial<StorefrontConfig> => ({
    methods: testMethods,
    shops: [
      createShop(1001, { realm: "eu" }),
      // Of the same realm, though its sessions are elsewhere.
      createShop(1002, { realm: "eu", storage: { session: storage() } }),
      createShop(2001, { realm: "us" }),
      createShop(2002),
    ],
  });

  /** A browser of a customer at each of the shops. */
  async function enterAll({ visitor }: TestStorefront, id: string | number = 7) {
    const visitors = [1001, 1002, 2001, 2002].map((shopId) => visitor(shopId));
    await Promise.all(visitors.map((customer) => customer.call("enter", { id })));
    return visitors as [V, V, V, V];
  }
  type V = ReturnType<TestStorefront["visitor"]>;

  async function whoIs(visitors: readonly V[]): Promise<unknown[]> {
    const answers = await Promise.all(visitors.map((visitor) => visitor.call("getUser")));
    return answers.map(({ body }) => body.user?.id ?? "guest");
  }

  test("lose a user's sessions together, and no other realm's", async () => {
    const shop = await start(realms());
    const [customers, others] = [await enterAll(shop), await enterAll(shop, 77)];
    const office = shop.visitor(1002);
    expect((await office.call("endSessions", { userId: "7" })).body).toBe(2);
    expect(await whoIs(customers)).toEqual(["guest", "guest", 7, 7]);
    expect(await whoIs(others)).toEqual([77, 77, 77, 77]);
    expect((await office.call("endSessions", { userId: 7 })).body).toBe(0);
  });

  test("keep the sessions that are named to be kept", async () => {
    const shop = await start(realms());
    const customers = await enterAll(shop);
    const second = shop.visitor(1001);
    await second.call("enter", { id: 7 });
    const keep = [customers[1].sessionId, second.sessionId, "7:nothing", customers[2].sessionId];
    const ended = await customers[0].call("endSessions", { userId: 7, keep });
    expect(ended.body).toBe(1);
    expect(customers[0].cookies.size).toBe(0);
    expect(await whoIs([...customers, second])).toEqual(["guest", 7, 7, 7, 7]);
  });

  test("are left together by logoutEverywhere", async () => {
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

// --- Internal helpers ---

function createShop(shopId: number, shop: Partial<ShopConfig> = {}): ShopConfig {
  return { shopId, locale: "de-DE", currency: "EUR", path: `shop${shopId}`, ...shop };
}

async function find(app: TestStorefront["app"], place: string): Promise<unknown> {
  const response = await app.fetch(new Request(`http://${place}${url}`));
  const { shopId, code } = await response.json();
  return shopId ?? code;
}

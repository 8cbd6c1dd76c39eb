import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { createSetup, describeStorages, type TestStorefront } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { createShop } from "../fixtures/shops.ts";
import { readStored } from "../fixtures/stored.ts";

const url = "/api/rpc/getShopConfiguration";

describeStorages("the shop of a call", ({ start }) => {
  test("comes from the header, unless the path names another shop", async () => {
    const { client } = await start({ shopSelector: "path_or_default" });
    const headers = { "x-shop-id": "1002" };
    for (const path of ["", "/us"]) {
      const answer = await client().request(`${path}${url}`, { headers });
      expect(answer).toMatchObject({ status: 200, body: { shopId: 1002 } });
    }
    for (const path of ["/de", "/nowhere", "/1002"]) {
      const answer = await client().request(`${path}${url}`, { headers });
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
    "doesn't exist for the header %j",
    async (shopId) => {
      const { client } = await start();
      for (const init of [{ method: "GET" }, { method: "POST" }]) {
        const answer = await client().request(`/de${url}`, {
          ...init,
          headers: { "x-shop-id": shopId },
        });
        expect(answer).toMatchObject({ status: 404, body: { code: "unknown_shop" } });
      }
    },
  );

  test("comes from the exact path", async () => {
    const { client } = await start({ shopSelector: "path" });
    const found = (path: string) => client().request(`${path}${url}`);
    expect((await found("/de")).body.shopId).toBe(1001);
    expect((await found("/us")).body.shopId).toBe(1002);
    for (const path of ["", "/xx", "/DE", "/d", "/de-DE", "/1001", "/__proto__"]) {
      expect(await found(path)).toMatchObject({ status: 404, body: { code: "unknown_shop" } });
    }
    expect((await found("/shop/de")).body.code).toBe("unknown_path");
  });

  test("comes from the host before the default", async () => {
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

  test("defaults to the default shop if the path names none", async () => {
    const { client } = await start({ shopSelector: "path_or_default" });
    expect((await client().request(url)).body.shopId).toBe(1001);
    expect((await client().request(`/us${url}`)).body.shopId).toBe(1002);
    expect((await client().request(`/xx${url}`)).body.code).toBe("unknown_shop");
    const other = await start({
      shopSelector: "path_or_default",
      shops: [createShop(1001, { path: "de" }), createShop(1002, { path: "us", isDefault: true })],
    });
    expect((await other.client().request(url)).body.shopId).toBe(1002);
    expect((await other.client().request(`/de${url}`)).body.shopId).toBe(1001);
  });

  test("comes from the path below a custom base path", async () => {
    const { client } = await start({ basePath: "/shop/api" });
    const answer = await client().request("/us/shop/api/rpc/getShopConfiguration");
    expect(answer.body.shopId).toBe(1002);
    expect((await client().request(`/us${url}`)).body.code).toBe("unknown_path");
  });
});

describe("the shop of a call by its host", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("comes from the exact host, on any port unless the host has one", async () => {
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

  test("comes from the path if several shops share a host", async () => {
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

  test("ignores forwarding headers of untrusted clients", async () => {
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
  const driver = createMemoryDriver();
  const { start } = createSetup("memory", "request", () => driver);

  test.each(["a guest", "a customer"])(
    "%s of one shop has no session in the other",
    async (who) => {
      const { client } = await start({ methods: testMethods });
      const [here, there] = [client(1001), client(1002)];
      if (who === "a customer") await here.call("enter", { id: 7 });
      await here.call("note", { colour: "red" });
      const before = await readStored(driver, "session:1001");
      there.cookies.set("$session-1002", here.cookies.get("$session-1001") as string);
      expect((await there.call("getUser")).body).toEqual({});
      expect((await there.call("notes")).body).toEqual({});
      expect((await there.call("logout")).status).toBe(204);
      await there.call("note", { colour: "blue" });
      expect(there.sessionId).not.toBe(here.sessionId);
      expect(await readStored(driver, "session:1001")).toEqual(before);
      expect((await here.call("notes")).body).toEqual({ colour: "red" });
    },
  );

  test("a customer logs in to both, with one cookie per shop", async () => {
    const { client } = await start({ methods: testMethods });
    const here = client(1001);
    await here.call("enter", { id: 7 });
    const there = here.clone(1002);
    await there.call("enter", { id: 8 });
    expect([...there.cookies.keys()]).toEqual(["$session-1001", "$session-1002"]);
    expect((await there.call("getUser")).body.user.id).toBe(8);
    expect((await there.clone(1001).call("getUser")).body.user.id).toBe(7);
  });
});

// --- Internal helpers ---

async function find(app: TestStorefront["app"], place: string): Promise<unknown> {
  const response = await app.fetch(new Request(`http://${place}${url}`));
  const { shopId, code } = await response.json();
  return shopId ?? code;
}

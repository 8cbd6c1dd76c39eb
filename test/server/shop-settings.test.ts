import createMemoryDriver from "unstorage/drivers/memory";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup, testSecret } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { createShop } from "../fixtures/shops.ts";

describe("the settings of a shop", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("override the global settings key by key, including the cookie's", async () => {
    const { client } = await start({
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
      const { setCookies } = await client(shopId).call("note", { begun: true });
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
    "set the Secure attribute: secure: %s over %s is %s",
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

  test("clear the cookie with its original attributes", async () => {
    const session = { domain: "shop.example", sameSite: "none", partitioned: true } as const;
    const { client } = await start({
      methods: testMethods,
      shops: [createShop(1001, { session: { ...session, secure: true } })],
    });
    const customer = client();
    const begun = await customer.call("enter", { id: 7 });
    const ended = await customer.call("logout");
    const [, ...set] = (begun.setCookies[0] as string).split("; ");
    const [pair, ...cleared] = (ended.setCookies[0] as string).split("; ");
    expect(pair).toBe("$session-1001=");
    expect(cleared).toEqual(set.map((line) => line.replace(/^Max-Age=.*/, "Max-Age=0")));
  });

  test("sign with the shop's own secret, which doesn't work in other shops", async () => {
    const secret = "the-secret-of-the-second-shop-of-40-signs";
    const shops = [createShop(1001), createShop(1002, { session: { secret } })];
    const storage = { session: createMemoryDriver() };
    const { client } = await start({ methods: testMethods, shops, storage });
    const all = await start({ methods: testMethods, storage });
    const customer = client(1002);
    await customer.call("enter", { id: 7 });
    expect((await customer.call("getUser")).body.user.id).toBe(7);
    const elsewhere = all.client(1002);
    elsewhere.cookies.set("$session-1002", customer.cookies.get("$session-1002") as string);
    expect((await elsewhere.call("getUser")).body).toEqual({});
  });

  test("expose only the public keys to a frontend", async () => {
    const show = defineRpcMethod({ handler: (_, { shop }) => shop });
    const session = { secret: "the-secret-of-the-first-shop-of-40-signs." };
    const known = { locale: "de-DE", currency: "EUR", path: "de", host: "shop.example" };
    const { client } = await start({
      methods: { show },
      shops: [{ shopId: 1001, ...known, realm: "eu", session, basket: { maxItems: 5 } }],
    });
    for (const method of ["getShopConfiguration", "show"]) {
      expect((await client().call(method)).body).toEqual({ shopId: 1001, ...known });
    }
  });

  test("stay out of a printed context, together with the caller's credentials", async () => {
    const print = defineRpcMethod({
      handler: (_, context) => inspect([context, { ...context }], { depth: Infinity }),
    });
    const { client } = await start({ methods: { ...testMethods, print } });
    const guest = client();
    await guest.call("note", { begun: true });
    const printed = await guest.call("print", undefined, { authorization: "Bearer hunter2" });
    expect(printed.status).toBe(200);
    const shown = { testSecret, cookie: guest.cookieHeader, bearer: "hunter2" };
    for (const [name, secret] of Object.entries(shown)) {
      expect(printed.body.includes(secret), name).toBe(false);
    }
  });
});

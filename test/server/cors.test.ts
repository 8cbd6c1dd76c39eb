import { expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { CorsConfig } from "../../server/config/keys/cors-keys.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { describeStorages, testConfig } from "../_setup.ts";
import { CookieClient, type Answer } from "../_cookie-client.ts";

const shop = "https://shop.example";
const other = "https://other.example";
const evil = "https://evil.example";

describeStorages("CORS", (setup) => {
  /** A storefront that counts the calls that reach a method. */
  async function start(config: Partial<StorefrontConfig> = {}) {
    const reached: string[] = [];
    const note = (method: string) => void reached.push(method);
    const publicNote = defineRpcMethod({
      access: "public",
      readOnly: true,
      handler: () => note("publicNote"),
    });
    const storefront = await setup.start({
      ...config,
      methods: { publicNote },
      hooks: { "storefront:context:created": ({ method }) => note(method) },
    });
    const client = new CookieClient(storefront.send);
    const elsewhere = new CookieClient(storefront.send, 1002);
    const preflight = (origin: string, path = "/api/rpc/getUser") =>
      client.request(path, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,x-shop-id",
        },
      });
    return { ...storefront, reached, client, elsewhere, preflight };
  }

  test("by default allows only pages of the server's own origin", async () => {
    const { client, preflight, reached, app } = await start();
    for (const origin of [shop, "http://localhost:5173", "null", "", "file://"]) {
      const answer = await client.call("getUser", undefined, { origin });
      expect(answer, origin).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
      expect((await preflight(origin)).status, origin).toBe(403);
    }
    expect(reached).toEqual([]);
    for (const [url, origin, status] of [
      ["http://localhost", "http://localhost", 200],
      ["http://localhost:3000", "http://localhost:3000", 200],
      ["http://localhost:3000", "http://localhost:5173", 403],
      ["https://shop.example", "https://shop.example", 200],
      // An untrusted proxy may have terminated TLS.
      ["http://shop.example", "https://shop.example", 200],
      // Anyone on the network may have written this page.
      ["https://shop.example", "http://shop.example", 403],
      ["https://shop.example", "https://shop.example.evil.example", 403],
    ] as const) {
      const headers = { origin, "x-shop-id": "1001" };
      const request = new Request(`${url}/api/rpc/getUser`, { method: "POST", headers });
      expect((await app.fetch(request)).status, `${origin} at ${url}`).toBe(status);
    }
  });

  test("a preflight allows the method and headers of calls", async () => {
    const { preflight, reached } = await start({ cors: { origin: [shop], maxAge: 60 } });
    const { status, headers } = await preflight(shop);
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      "access-control-allow-origin": shop,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers":
        "authorization, content-type, idempotency-key, if-match, x-shop-id",
      "access-control-max-age": "60",
      vary: "origin, access-control-request-headers",
    });
    expect((await preflight(shop, "/de/api/rpc/getUser")).status).toBe(204);
    expect(reached).toEqual([]);
  });

  test("a preflight covers all shops, and a call its own shop only", async () => {
    const { preflight, client, elsewhere, reached } = await start(ofFirst({ origin: [shop] }));
    expect((await preflight(shop, "/us/api/rpc/getUser")).status).toBe(204);
    expect((await client.call("getUser", undefined, { origin: shop })).status).toBe(200);
    reached.length = 0;
    const refused = await elsewhere.call("getUser", undefined, { origin: shop });
    expect(refused).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
    expect(corsOf(refused)).toEqual({ vary: "origin" });
    expect(reached).toEqual([]);
  });

  test("a preflight allows cookies if any shop that allows the page does", async () => {
    const { preflight, client, elsewhere } = await start({
      cors: { origin: [shop], maxAge: 60 },
      ...ofFirst({ credentials: false, maxAge: 30 }),
    });
    const { headers } = await preflight(shop);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("access-control-max-age")).toBe("30");
    const credentials = async (caller: CookieClient) =>
      corsOf(await caller.call("getUser", undefined, { origin: shop }))["credentials"];
    expect(await credentials(client)).toBeUndefined();
    expect(await credentials(elsewhere)).toBe("true");
  });

  test("lets an allowed page read errors too, and always varies by origin", async () => {
    const { client, send, reached } = await start({ cors: { origin: [shop] } });
    const json = { "content-type": "application/json" };
    const post = (path: string, headers: Record<string, string>, body?: string) =>
      client.request(path, { method: "POST", headers, ...(body !== undefined && { body }) });
    const calls: Record<string, (headers: Record<string, string>) => Promise<Answer>> = {
      "200": (headers) => post("/de/api/rpc/getUser", headers),
      "200 of a cacheable GET": (headers) =>
        client.request("/de/api/rpc/getShopConfiguration", { headers }),
      "204": (headers) => post("/de/api/rpc/logout", headers),
      "400": (headers) => post("/de/api/rpc/login", { ...json, ...headers }, "{"),
      "401": (headers) => post("/de/api/rpc/listSessions", headers),
      "404 of a method": (headers) => post("/de/api/rpc/nowhere", headers),
      "404 of a shop": (headers) => post("/fr/api/rpc/getUser", headers),
      "404 of a path": (headers) => post("/nowhere", headers),
      "405": (headers) => client.request("/de/api/rpc/getUser", { headers }),
      "415": (headers) =>
        post("/de/api/rpc/getUser", { ...headers, "content-type": "text/plain" }, "x"),
      "422": (headers) => post("/de/api/rpc/login", { ...json, ...headers }, "{}"),
    };
    for (const [name, call] of Object.entries(calls)) {
      const answer = await call({ origin: shop });
      expect(answer.status, name).toBe(Number.parseInt(name, 10));
      expect(corsOf(answer), name).toMatchObject({ origin: shop, credentials: "true" });
      expect(answer.headers.get("vary"), name).toMatch(/(?:^|, )origin(?:,|$)/);
      const plain = await call({});
      expect(corsOf(plain), name).toEqual({ vary: expect.stringMatching(/(?:^|, )origin(?:,|$)/) });
    }
    reached.length = 0;
    for (const [name, call] of Object.entries(calls)) {
      const answer = await call({ origin: evil });
      expect(corsOf(answer), name).toEqual({
        vary: expect.stringMatching(/(?:^|, )origin(?:,|$)/),
      });
    }
    expect(reached).toEqual([]);
    expect((await send("/api/rpc/getUser", { method: "OPTIONS" })).headers.get("vary")).toBe(
      "origin",
    );
  });

  test("exposes the header of bearer tokens in shops that enable them", async () => {
    const { client, elsewhere } = await start({
      cors: { origin: [shop], exposedHeaders: ["x-request-id"] },
      session: { authTokenHeaderKey: "vendure-auth-token" },
      shops: testConfig().shops.map((each) =>
        each.shopId === 1001 ? { ...each, session: { tokenMethod: "bearer" } } : each,
      ),
    });
    const exposed = async (caller: CookieClient) =>
      corsOf(await caller.call("getUser", undefined, { origin: shop }))["expose"]?.split(", ");
    expect(await exposed(client)).toEqual([
      "x-request-id",
      "vendure-auth-token",
      "retry-after",
      "storefront-response",
    ]);
    expect(await exposed(elsewhere)).toEqual([
      "x-request-id",
      "retry-after",
      "storefront-response",
    ]);
  });

  test.each([
    [/https:\/\/shop\.example/, [shop], [`${shop}.evil.example`, `https://evil.example?${shop}`]],
    [/https:\/\/shop\.example|https:\/\/other\.example/g, [shop, other], [`${shop}.evil.example`]],
    [/https:\/\/\w+\.example/iy, [shop, other], ["https://a.b.example", "http://shop.example"]],
  ] as const)("matches the pattern %s with the whole origin", async (pattern, good, bad) => {
    const { client, reached } = await start({ cors: { origin: [pattern] } });
    for (const origin of [...good, ...good]) {
      const answer = await client.call("getUser", undefined, { origin });
      expect(answer.status, origin).toBe(200);
      expect(corsOf(answer)["origin"], origin).toBe(origin);
    }
    reached.length = 0;
    for (const origin of bad) {
      expect((await client.call("getUser", undefined, { origin })).status, origin).toBe(403);
    }
    expect(reached).toEqual([]);
  });

  test("calls a cors.origin function with the origin and the shop", async () => {
    const { client, elsewhere, preflight } = await start({
      cors: { origin: (origin, { currency }) => origin === shop && currency === "USD" },
    });
    expect((await preflight(shop)).status).toBe(204);
    expect((await preflight(evil)).status).toBe(403);
    expect((await client.call("getUser", undefined, { origin: shop })).status).toBe(403);
    expect((await elsewhere.call("getUser", undefined, { origin: shop })).status).toBe(200);
  });

  test("rejects all origins if the cors.origin function is async or throws", async () => {
    setup.allowErrors();
    for (const origin of [careless, broken]) {
      const { client, preflight, reached } = await start({ cors: { origin } });
      const answer = await client.call("getUser", undefined, { origin: shop });
      expect(answer).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
      expect(corsOf(answer)).toEqual({ vary: "origin" });
      expect((await preflight(shop)).status).toBe(403);
      expect(reached).toEqual([]);
    }
  });

  test("rejects calls of other origins before a method runs, by any HTTP method and with or without a session", async () => {
    const { client, reached, send } = await start({ cors: { origin: [shop] } });
    await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
    reached.length = 0;
    const cookie = client.cookieHeader;
    for (const origin of [evil, "null", `${shop}:8443`, "http://shop.example", `${shop}/`]) {
      for (const method of ["addItemToBasket", "publicNote"]) {
        for (const init of [{ method: "POST" }, { method: "GET" }]) {
          const headers = { origin, cookie, "x-shop-id": "1001" };
          const response = await send(`/api/rpc/${method}`, { ...init, headers });
          expect(response.status, `${init.method} ${method} from ${origin}`).toBe(403);
          expect(response.headers.get("set-cookie")).toBeNull();
        }
      }
    }
    // Old browsers send no Origin for forms.
    const crossSite = await client.call("getUser", undefined, { "sec-fetch-site": "cross-site" });
    expect(crossSite).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
    expect(reached).toEqual([]);
    expect((await client.call("getBasket")).body.basket.itemCount).toBe(1);
  });

  test("never allows the origin * or the header *", async () => {
    const { client, preflight } = await start({ cors: { origin: () => true } });
    for (const origin of [shop, evil]) {
      const answers = [
        await preflight(origin),
        await client.call("getUser", undefined, { origin }),
      ];
      for (const answer of answers) {
        expect(corsOf(answer)).toMatchObject({
          origin,
          credentials: "true",
          vary: expect.stringMatching(/^origin\b/),
        });
        expect([...answer.headers.values()].filter((value) => value.includes("*"))).toEqual([]);
      }
    }
    await expect(setup.start({ cors: { origin: ["*"] } })).rejects.toThrow(/cors\.origin/);
  });

  test("ignores the visitor's cookies in calls of other origins if cors.credentials is off", async () => {
    const enter = defineRpcMethod({
      handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
    });
    const cors = { origin: [other], credentials: false };
    const { client } = await setup.start({ cors, methods: { enter } });
    const browser = client();
    await browser.call("enter");
    const answer = await browser.call("getUser", undefined, { origin: other });
    expect(answer).toMatchObject({ status: 200, body: {}, setCookies: [] });
    await browser.call("logout", undefined, { origin: other });
    expect((await browser.call("getUser")).body).toEqual({ user: { id: 7 } });
  });
});

/** Sets `cors` of the first shop; the second shop keeps the defaults. */
function ofFirst(cors: CorsConfig): Partial<StorefrontConfig> {
  const { shops } = testConfig();
  return { shops: shops.map((each) => (each.shopId === 1001 ? { ...each, cors } : each)) };
}

const careless = (async () => false) as unknown as () => boolean;

function broken(): never {
  throw new Error("no such table");
}

/** The CORS headers of a response. */
function corsOf({ headers }: Answer): Record<string, string> {
  const names = {
    origin: "access-control-allow-origin",
    credentials: "access-control-allow-credentials",
    expose: "access-control-expose-headers",
    vary: "vary",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([key, name]) => {
      const value = headers.get(name);
      return value === null ? [] : [[key, value]];
    }),
  );
}

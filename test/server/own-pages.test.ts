import { describe, expect, onTestFinished, test } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { describeWithChromium } from "../_chromium.ts";
import { listen } from "../_https.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { emptyPage } from "../_page-server.ts";
import { openBehindProxy } from "../_proxy.ts";
import { forProduction, createSetup, testConfig } from "../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const item = { variantId: 7, quantity: 1 };
const body = JSON.stringify({ payload: item });
const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
};

const hosts = (first: string | string[], second: string) => [
  { shopId: 1001, locale: "de-DE", currency: "EUR", host: first },
  { shopId: 1002, locale: "en-US", currency: "USD", host: second },
];

type Ask = Record<"host", string> & Record<string, string>;

/** Calls addItemToBasket with these headers; a proxy set `host`. */
async function ask(config: Partial<StorefrontConfig>, { host, ...headers }: Ask) {
  const { app, lines } = await start(config);
  const response = await app.fetch(
    new Request(
      `${config.trustProxy === undefined ? "http" : "https"}://${host}/api/rpc/addItemToBasket`,
      {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1001", ...headers },
        body,
      },
    ),
  );
  const { detail } = (await response.json()) as { detail?: string };
  return { status: response.status, detail, lines, cookie: response.headers.get("set-cookie") };
}

describe("behind a proxy that rewrites Host", () => {
  const page = { host: "shop.example", origin: "https://shop.example" };

  test("allows the shop's own page behind a proxy that rewrites Host, and no other page", async () => {
    const send = await openBehindProxy();
    expect(await send({ ...page, "sec-fetch-site": "same-origin" })).toBe(200);
    for (const site of ["same-site", "cross-site", "none", "same-origin, cross-site", ""]) {
      expect(await send({ ...page, "sec-fetch-site": site }), site).toBe(403);
    }
    const evil = { ...page, origin: "https://evil.example" };
    expect(await send({ ...evil, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await send({ ...evil, "sec-fetch-site": "same-site" })).toBe(403);
    expect(await send(evil)).toBe(403);
  });

  test("compares the origin with publicUrl if the browser sends no Sec-Fetch-Site", async () => {
    const send = await openBehindProxy({ publicUrl: "http://shop.example:8080/" });
    const own = { host: "shop.example:8080", origin: "http://shop.example:8080" };
    expect(await send(own)).toBe(200);
    for (const origin of [
      "http://shop.example",
      "http://evil.example:8080",
      "https://shop.example:8080",
    ]) {
      expect(await send({ ...own, origin }), origin).toBe(403);
    }
    expect(await send({ ...own, "sec-fetch-site": "cross-site" })).toBe(403);
  });

  test("compares the origin with X-Forwarded-Host if the proxy is trusted", async () => {
    const own = { ...page, "x-forwarded-host": "shop.example", "x-forwarded-proto": "https" };
    expect(await (await openBehindProxy({ trustProxy: ["loopback"] }))(own)).toBe(200);
    expect(await (await openBehindProxy({ trustProxy: ["10.0.0.0/8"] }))(own)).toBe(403);
  });
});

describe("a page of the host that was called", () => {
  test.each([
    ["https://shop.example", "shop.example:443", 200],
    ["https://shop.example", "shop.example", 200],
    ["http://shop.example", "shop.example:80", 200],
    ["http://shop.example:8080", "shop.example:8080", 200],
    ["https://shop.example:8443", "shop.example", 403],
    ["http://shop.example", "shop.example:443", 403],
    ["https://shop.example", "shop.example:8443", 403],
    ["https://shop.example.evil.example", "shop.example", 403],
    ["ftp://shop.example", "shop.example", 403],
    ["capacitor://shop.example", "shop.example", 403],
    ["https://shop.example@evil.example", "shop.example", 403],
    ["https://shop.example/", "shop.example", 403],
    ["https://SHOP.example", "shop.example", 403],
    ["https://shop.example:443", "shop.example", 403],
    ["null", "null", 403],
  ])("at %s may call %s: %i", async (origin, host, status) => {
    expect((await ask({}, { host, origin })).status).toBe(status);
  });

  test("ignores the Host of a call if the browser sends Sec-Fetch-Site: same-origin", async () => {
    for (const host of ["shop.example", "shop.example:443", "10.0.0.1:3000", "upstream"]) {
      const headers = {
        host,
        origin: "https://shop.example:8443",
        "sec-fetch-site": "same-origin",
      };
      expect((await ask({}, headers)).status, host).toBe(200);
    }
    const sandboxed = { host: "shop.example", origin: "null", "sec-fetch-site": "same-origin" };
    expect((await ask({}, sandboxed)).status).toBe(403);
  });
});

describe("shops with hosts", () => {
  const shops = hosts(["one.example", "www.one.example"], "two.example");
  const config = { shopSelector: "path_or_default", shops } as const;
  const call = { host: "10.0.0.1:3000", "sec-fetch-site": "same-origin" };

  test("allows a page to call the shop of its host only, even if a header names another shop", async () => {
    for (const origin of ["https://one.example", "https://www.one.example"]) {
      expect((await ask(config, { ...call, origin })).status).toBe(200);
      const other = await ask(config, { ...call, origin, "x-shop-id": "1002" });
      expect(other.status).toBe(403);
      expect(other.detail).toContain(`"${origin}" isn't at a host of shop 1002`);
      expect(other.detail).toContain("cors.origin");
    }
    const direct = { host: "one.example", origin: "https://one.example", "x-shop-id": "1002" };
    expect((await ask(config, direct)).status).toBe(403);
  });

  test("rejects a page that calls another shop with a cookie for all hosts", async () => {
    const session = { domain: "shops.example", cookieName: "sid" };
    const { app } = await start({
      shopSelector: "domain",
      shops: hosts("one.shops.example", "two.shops.example"),
      session,
      methods,
    });
    const send = (method: string, origin: string, shopId: string, cookie = "") =>
      app.fetch(
        new Request(`http://${new URL(origin).host}/api/rpc/${method}`, {
          method: "POST",
          headers: { origin, cookie, "x-shop-id": shopId, "sec-fetch-site": "same-origin" },
        }),
      );
    const login = await send("enter", "https://two.shops.example", "1002");
    const cookie = (login.headers.get("set-cookie") as string).split(";")[0] as string;
    const own = await send("getUser", "https://two.shops.example", "1002", cookie);
    expect(await own.json()).toEqual({ user: { id: 7 } });
    const foreign = await send("getUser", "https://one.shops.example", "1002", cookie);
    expect(foreign.status).toBe(403);
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("allows a page of another shop's host if cors.origin lists it", async () => {
    const cors = { origin: ["https://one.example"] };
    const headers = { ...call, origin: "https://one.example", "x-shop-id": "1002" };
    expect((await ask({ ...config, cors }, headers)).status).toBe(200);
  });

  test("rejects a page of a shop's host if the browser sends Sec-Fetch-Site: cross-site", async () => {
    const headers = { ...call, origin: "https://one.example", "sec-fetch-site": "cross-site" };
    expect((await ask(config, headers)).status).toBe(403);
  });
});

describe("a rejected call of another origin", () => {
  const headers = { host: "10.0.0.1:3000", origin: "https://shop.example" };

  test("names the origin and the config options in the error, and logs it in development", async () => {
    const { status, detail, lines } = await ask({}, headers);
    expect(status).toBe(403);
    for (const name of [
      `"https://shop.example"`,
      "cors.origin",
      "publicUrl",
      "trustProxy",
      "shop 1001",
    ]) {
      expect(detail).toContain(name);
    }
    expect(lines).toMatchObject([{ level: "warn", details: { detail } }]);
  });

  test("logs no rejected origin in production", async () => {
    const { log, lines } = createTestLog();
    const app = createStorefront(testConfig({ ...forProduction, log }), { production: true });
    onTestFinished(() => app.close());
    const before = lines.length;
    const { host, ...rest } = headers;
    const init = { method: "POST", headers: { ...rest, "x-shop-id": "1001" } };
    const response = await app.fetch(new Request(`http://${host}/api/rpc/getUser`, init));
    expect(response.status).toBe(403);
    expect(lines.length).toBe(before);
  });

  test("quotes only the beginning of a long origin", async () => {
    const { detail } = await ask({}, { ...headers, origin: `https://${"a".repeat(5000)}.example` });
    expect(detail?.length).toBeLessThan(600);
  });
});

describe("a cross-site call with a token", () => {
  test.each(["Bearer none", "Bearer x.y", "bearer abc"])(
    "ignores the cookies of a cross-site call with the token %j",
    async (token) => {
      const { client } = await start({ methods });
      const victim = client();
      await victim.call("enter");
      for (const site of ["cross-site", "same-site"]) {
        const headers = { authorization: token, "sec-fetch-site": site };
        const answer = await victim.call("getUser", undefined, headers);
        expect(answer).toMatchObject({ status: 200, body: {}, setCookies: [] });
        const added = await victim.call("addItemToBasket", item, headers);
        expect(added.setCookies).toEqual([]);
        await victim.call("logout", undefined, headers);
      }
      expect((await victim.call("getUser")).body).toEqual({ user: { id: 7 } });
      expect((await victim.call("getBasket")).body.basket.items).toEqual([]);
    },
  );

  test("rejects a cross-site call whose Authorization is not a bearer token", async () => {
    const { client } = await start({ methods });
    for (const authorization of ["Basic eDp5", "Bearer", "bearer:x"]) {
      const headers = { authorization, "sec-fetch-site": "cross-site" };
      expect((await client().call("getUser", undefined, headers)).status).toBe(403);
    }
  });

  test("accepts the cookies of a same-origin call with a gateway's bearer token", async () => {
    const { client } = await start({ methods });
    const customer = client();
    await customer.call("enter");
    const headers = { authorization: "Bearer of-a-gateway", "sec-fetch-site": "same-origin" };
    const answer = await customer.call("getUser", undefined, headers);
    expect(answer.body).toEqual({ user: { id: 7 } });
  });
});

describeWithChromium("a page behind a proxy that rewrites Host", ["openssl"], (open) => {
  /** Serves a page at an address, in front of a storefront with another host name. */
  async function serveBehindProxy(
    address: string,
    config: (origin: string) => Partial<StorefrontConfig>,
  ) {
    const origin = await listen(address, async (incoming) => {
      const { pathname } = new URL(incoming.url);
      if (!pathname.startsWith("/api/")) return emptyPage();
      const { method } = incoming;
      const headers = new Headers(incoming.headers);
      headers.set("host", "10.0.0.1:3000");
      const text = method === "POST" ? await incoming.text() : undefined;
      const upstream = `http://10.0.0.1:3000${pathname}`;
      return app.fetch(new Request(upstream, { method, headers, ...(text && { body: text }) }));
    });
    const { log } = createTestLog();
    const app = createStorefront(testConfig({ ...forProduction, log, ...config(origin) }), {
      production: true,
    });
    onTestFinished(() => app.close());
    const page = await open();
    await page.goto(origin);
    return (shopId: number) =>
      page.evaluate(async (id) => {
        const headers = { "content-type": "application/json", "x-shop-id": String(id) };
        const response = await fetch("/api/rpc/getBasket", { method: "POST", headers, body: "{}" });
        return response.status;
      }, shopId);
  }

  test("allows a page over HTTPS behind a proxy that rewrites Host", async () => {
    const call = await serveBehindProxy("https://shop.test", () => ({}));
    expect(await call(1001)).toBe(200);
  });

  test("allows a page behind such a proxy to call the shop of its host only", async () => {
    const shops = hosts("one.shop.test", "two.shop.test");
    const call = await serveBehindProxy("https://one.shop.test", () => ({
      shopSelector: "domain",
      shops,
    }));
    expect([await call(1001), await call(1002)]).toEqual([200, 403]);
  });

  test("allows a page over plain HTTP behind such a proxy if publicUrl names it", async () => {
    const without = await serveBehindProxy("http://shop.test", () => ({}));
    expect(await without(1001)).toBe(403);
    const call = await serveBehindProxy("http://shop.test", (publicUrl) => ({ publicUrl }));
    expect(await call(1001)).toBe(200);
  });
});

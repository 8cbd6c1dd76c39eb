import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { describeWithChromium } from "../_chromium.ts";
import { listen } from "../_https.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { emptyPage } from "../_page-server.ts";
import { createSetup, forProduction, testSecret } from "../_setup.ts";

/** The user whom each call of `whoami` saw. */
function createMethods(seen: unknown[] = []) {
  return {
    enter: defineRpcMethod({
      handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
    }),
    whoami: defineRpcMethod({
      verb: "GET",
      handler(_, { user }) {
        seen.push(user?.id ?? "guest");
        return user?.id ?? "guest";
      },
    }),
  };
}

describe("a GET with a session", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const allowed = "https://www.shop.example";

  /** Calls `whoami` with these headers and the cookies of user 7. @returns its result */
  async function ask(
    config: Partial<StorefrontConfig>,
    headers: Record<string, string>,
    host = "localhost",
  ) {
    const { app, client } = await start({ methods: createMethods(), ...config });
    const visitor = client();
    await visitor.call("enter");
    const sent = { "x-shop-id": "1001", cookie: visitor.cookieHeader, ...headers };
    const response = await app.fetch(
      new Request(`http://${host}/api/rpc/whoami`, { headers: sent }),
    );
    expect(response.headers.getSetCookie()).toEqual([]);
    const body = (await response.json()) as { code?: string };
    return body.code ?? body;
  }

  test.each<[site: string | undefined, result: unknown]>([
    [undefined, 7],
    ["same-origin", 7],
    ["none", 7],
    ["same-site", "guest"],
    ["cross-site", "guest"],
    ["", "guest"],
    ["same-origin, cross-site", "guest"],
  ])("runs with Sec-Fetch-Site: %s as %s", async (site, result) => {
    expect(await ask({}, site === undefined ? {} : { "sec-fetch-site": site })).toBe(result);
  });

  test.each<[origin: string, credentials: boolean, result: unknown]>([
    [allowed, true, 7],
    [allowed, false, "guest"],
    ["https://evil.example", true, "foreign_origin"],
    ["null", true, "foreign_origin"],
  ])(
    "runs for a page at %s with cors.credentials: %s as %s",
    async (origin, credentials, result) => {
      const cors = { origin: [allowed], credentials };
      expect(await ask({ cors }, { origin, "sec-fetch-site": "cross-site" })).toBe(result);
    },
  );

  const atHosts = {
    shopSelector: "domain",
    shops: [
      { shopId: 1001, locale: "de-DE", currency: "EUR", host: ["de.example", "shop.example"] },
      { shopId: 1002, locale: "en-US", currency: "USD", host: "us.example" },
    ],
  } as const;
  const page = { "sec-fetch-site": "same-origin" };

  test.each<[what: string, host: string, headers: Record<string, string>, result: unknown]>([
    ["a page of the shop", "de.example", page, 7],
    ["a page of another shop", "us.example", page, "guest"],
    ["a page of another shop, by plain HTTP", "us.example", {}, "guest"],
    ["a page at an unknown host", "10.0.0.1", page, "guest"],
    ["a server inside the network", "10.0.0.1:3000", {}, 7],
    ["a visitor who typed the URL", "us.example", { "sec-fetch-site": "none" }, 7],
  ])("runs for %s as the visitor, or as a guest", async (_, host, headers, result) => {
    expect(await ask(atHosts, headers, host)).toBe(result);
  });

  test("finds the page's host in publicUrl if a proxy rewrites Host", async () => {
    const config = { ...atHosts, publicUrl: "https://shop.example" };
    expect(await ask(config, page, "10.0.0.1")).toBe(7);
    expect(await ask({ ...atHosts, publicUrl: "https://us.example" }, page, "10.0.0.1")).toBe(
      "guest",
    );
    // The proxy did not rewrite this one.
    expect(await ask(config, page, "us.example")).toBe("guest");
  });

  test("finds the page's host in X-Forwarded-Host if the proxy is trusted", async () => {
    const forwarded = { ...page, "x-forwarded-host": "de.example" };
    expect(await ask({ ...atHosts, trustProxy: true }, forwarded, "10.0.0.1")).toBe(7);
    expect(await ask({ ...atHosts, trustProxy: false }, forwarded, "10.0.0.1")).toBe("guest");
  });
});

describe("a GET with a bearer token", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("runs as the token's user on any page, and ignores cookies there", async () => {
    const { send } = await start({
      methods: createMethods(),
      session: { tokenMethod: ["cookie", "bearer"] },
    });
    const headers = { "x-shop-id": "1001", "sec-fetch-site": "cross-site" };
    const entered = await send("/api/rpc/enter", {
      method: "POST",
      headers: { "x-shop-id": "1001" },
    });
    const token = entered.headers.get("storefront-auth-token") as string;
    const [cookie = ""] = entered.headers.getSetCookie().map((line) => line.split(";")[0]);
    const ask = async (more: Record<string, string>) =>
      (await send("/api/rpc/whoami", { headers: { ...headers, ...more } })).json();
    expect(await ask({ authorization: `Bearer ${token}` })).toBe(7);
    expect(await ask({ cookie })).toBe("guest");
  });
});

/** Requests of a GET that a page can make a browser send. */
const loads: Readonly<Record<string, (url: string) => void>> = {
  "an image": (url) => document.body.append(Object.assign(new Image(), { src: url })),
  "a script": (url) =>
    document.body.append(Object.assign(document.createElement("script"), { src: url })),
  "a frame": (url) =>
    document.body.append(Object.assign(document.createElement("iframe"), { src: url })),
  "a style sheet": (url) =>
    document.head.append(
      Object.assign(document.createElement("link"), { rel: "stylesheet", href: url }),
    ),
  "fetch without CORS": (url) => {
    fetch(url, { mode: "no-cors", credentials: "include" }).catch(() => {});
  },
  "a form": (url) => {
    const form = Object.assign(document.createElement("form"), { action: url, method: "get" });
    document.body.append(form);
    form.submit();
  },
  "going there": (url) => void location.assign(url),
  "a new window": (url) => void open(url),
};

describeWithChromium("a browser's GET with a session", ["openssl"], (open) => {
  test.each([
    ["https://evil.test", "none"],
    ["https://evil.test", "lax"],
    ["https://evil.shop.test", "lax"],
  ] as const)(
    "runs as a guest's for a page at %s, with cookies of SameSite=%s",
    { timeout: 60_000 },
    async (address, sameSite) => {
      const stranger = await listen(address, emptyPage);
      const { server, seen, visitor } = await openShop(open, sameSite);
      for (const [name, load] of Object.entries(loads)) {
        seen.length = 0;
        const page = await visitor.context().newPage();
        await page.goto(stranger);
        await page.evaluate(load, `${server}/api/rpc/whoami`);
        await vi.waitFor(() => expect(seen, name).toEqual(["guest"]), 10_000);
      }
    },
  );

  test("runs as the visitor's for the shop's own page and for a typed URL", async () => {
    const { server, seen, visitor } = await openShop(open, "lax");
    for (const [name, load] of Object.entries(loads)) {
      seen.length = 0;
      const page = await visitor.context().newPage();
      await page.goto(server);
      await page.evaluate(load, `${server}/api/rpc/whoami`);
      await vi.waitFor(() => expect(seen, name).toEqual([7]), 10_000);
    }
    seen.length = 0;
    await visitor.goto(`${server}/api/rpc/whoami`);
    expect(seen).toEqual([7]);
    expect(await visitor.evaluate(() => document.body.textContent)).toBe("7");
  });
});

/** A shop with a page, and a browser in which user 7 has logged in there. */
async function openShop(open: () => Promise<Page>, sameSite: "lax" | "none") {
  const seen: unknown[] = [];
  const app = createStorefront(
    {
      ...forProduction,
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
      session: { secret: testSecret, sameSite },
      methods: createMethods(seen),
      log: createTestLog().log,
    },
    { production: true },
  );
  onTestFinished(() => app.close());
  const server = await listen("https://shop.test", async (request) =>
    new URL(request.url).pathname.startsWith("/api/") ? app.fetch(request) : emptyPage(),
  );
  const visitor = await open();
  await visitor.goto(server);
  await visitor.evaluate((url) => fetch(url, { method: "POST" }), `${server}/api/rpc/enter`);
  return { server, seen, visitor };
}

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { expectDevelopmentKeeps } from "../_development.ts";
import { addItem, registerAndLogOut } from "../_journey.ts";
import { expectVerbs } from "../_verbs.ts";
import { testSecret } from "../../_setup.ts";
import { startFrontProxy } from "../_front-proxy.ts";
import { startExample, type RunningExample } from "../_example.ts";

let app: RunningExample;

beforeAll(async () => {
  app = await startExample("sveltekit", {
    files: fileURLToPath(new URL("files", import.meta.url)),
    build: [
      "mv storefront.config.ts own.config.ts && mv test.config.ts storefront.config.ts",
      "npm run check && env -u STOREFRONT_SESSION_SECRET npm run build",
    ].join(" && "),
    start: () => "env -u NODE_ENV npm start",
    env: {
      HOST: "127.0.0.1",
      STOREFRONT_SESSION_SECRET: testSecret,
      // The proxies of this test terminate TLS, so SvelteKit takes the origin from them.
      PROTOCOL_HEADER: "x-forwarded-proto",
      HOST_HEADER: "x-forwarded-host",
    },
  });
});
afterAll(() => app?.stop());

/** Sends a request as a proxy does, from a visitor's address. */
function send(path: string, init: RequestInit = {}, origin = app.origin): Promise<Response> {
  const { protocol, host } = new URL(origin);
  const headers = new Headers(init.headers);
  headers.delete("host");
  headers.set("x-forwarded-for", "203.0.113.9");
  headers.set("x-forwarded-proto", protocol.slice(0, -1));
  headers.set("x-forwarded-host", host);
  return fetch(`${app.origin}${path}`, { redirect: "manual", ...init, headers });
}

/** Opens a page, and returns it with a cookie for the next request. */
async function show(path: string, init?: RequestInit) {
  const response = await send(path, init);
  const cookies = response.headers.getSetCookie();
  const cookie = cookies.map((line) => line.split(";")[0]).join("; ");
  return { response, text: await response.text(), cookies, cookie };
}

describe("examples/sveltekit, built for production", () => {
  test("begins one session for parallel writes of a new visitor's page and its endpoint", async () => {
    const { text, cookies, cookie, response } = await show("/writes");
    expect(text).toContain("<p>3 items</p>");
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    const next = await show("/server", { headers: { cookie } });
    expect(next.text).toContain("<p>3 items for 203.0.113.9</p>");
    expect(next.cookies).toEqual([]);
  });

  test("begins one session for parallel writes of a form action", async () => {
    const headers = {
      origin: app.origin,
      accept: "text/html",
      "content-type": "application/x-www-form-urlencoded",
    };
    const { text, cookies, cookie } = await show("/", { method: "POST", headers, body: "" });
    expect(text).toContain("2 items in the basket");
    expect(cookies).toHaveLength(1);
    expect((await show("/", { headers: { cookie } })).text).toContain("2 items in the basket");
  });

  test.each(["/?page=1", "/server?page=1"])(
    "redirects %s to itself if its cookie was replaced a moment ago, also its data",
    async (path) => {
      const client = new CookieClient(send);
      await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
      const old = client.cookieHeader;
      const user = { email: `${path.length}@example.com`, password: "correct horse 9" };
      expect(await client.call("register", user)).toMatchObject({ status: 200 });
      const { response } = await show(path, { headers: { cookie: old } });
      expect(response.status).toBe(307);
      expect(response.headers.get("location")).toBe(path);
      const again = await show(path, { headers: { cookie: old } });
      expect(again.response.status).toBe(500);
      if (!path.startsWith("/server")) return;
      const data = await show("/server/__data.json?page=1", { headers: { cookie: old } });
      expect(JSON.parse(data.text)).toMatchObject({ type: "redirect", location: path });
    },
  );

  test("keeps sessions, baskets, and accounts in development", { timeout: 300_000 }, async () => {
    await expectDevelopmentKeeps(
      app.folder,
      (port) => `npx vite dev --host 127.0.0.1 --port ${port}`,
      { reloads: true },
    );
  });

  test("disables its buttons until their script runs", async () => {
    expect((await show("/")).text).toContain("<fieldset disabled");
  });

  test("responds to every HTTP method, also for paths without a method", async () => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, headers } = await send("/api/rpc/unknown", { method });
      expect(status, method).toBe(404);
      expect(headers.get("content-type"), method).toBe("application/problem+json");
    }
    const shop = await send("/api/rpc/getShopConfiguration");
    expect(await shop.json()).toMatchObject({ shopId: 1001 });
    expect((await send("/healthz")).status).toBe(200);
    expect((await send("/elsewhere")).headers.get("content-type")).toContain("text/html");
  });

  test("passes on PUT and DELETE with their bodies and queries", async () => {
    await expectVerbs(new CookieClient(send));
  });

  test("accepts the pages of its own origin only, and finds the client's address", async () => {
    const client = new CookieClient(send);
    expect((await client.call("showAddress")).body).toBe("203.0.113.9");
    expect((await client.call("getBasket", undefined, { origin: app.origin })).status).toBe(200);
    const foreign = await client.call("getBasket", undefined, { origin: "https://evil.example" });
    expect(foreign.body.code).toBe("foreign_origin");
    // In development, the log names the origin.
    expect(app.output()).not.toContain("evil.example");
    const direct = new CookieClient((path, init) => fetch(`${app.origin}${path}`, init));
    expect((await direct.call("showAddress")).body).toBe("127.0.0.1");
  });
});

describeWithChromium("examples/sveltekit behind a proxy", ["openssl"], (open) => {
  test.each(["http", "https"])(
    "lets a guest fill the basket, register, keep the basket, and log out, by %s",
    async (scheme) => {
      const { page, origin } = await openThroughProxy(scheme);
      await page.goto(origin);
      await page.getByText("Hello, guest!").waitFor();
      await addItem(page);
      await page.getByRole("button", { name: "Add two by a form action" }).click();
      await page.getByText("3 items in the basket").waitFor();
      await registerAndLogOut(page, { items: 3, isSecure: scheme === "https" });
    },
  );

  test("doesn't fetch the results of the rendered page again, and fetches after a navigation", async () => {
    const { page, origin, calls } = await openThroughProxy("https");
    await page.goto(origin);
    await page.getByText("Hello, guest!").waitFor();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("1 items in the basket").waitFor();
    // Parallel calls travel on several connections, so they come in any order.
    expect(calls.splice(0).toSorted()).toEqual(["addItemToBasket", "getBasket", "greet"]);
    await page.goto(`${origin}/link`);
    // Before the script runs, a link opens the page from the server.
    await page.getByText("Loaded").waitFor();
    await page.getByRole("link", { name: "Home" }).click();
    await page.getByText("1 items in the basket").waitFor();
    expect(calls.toSorted()).toEqual(["getBasket", "greet"]);
  });

  /** A browser in front of a proxy. `calls` are those that the browser sends, in order. */
  async function openThroughProxy(scheme: string) {
    const calls: string[] = [];
    const onRequest = (path: string) => {
      const [, method] = /^\/api\/rpc\/(\w+)$/.exec(path) ?? [];
      if (method !== undefined) calls.push(method);
    };
    const origin = await startFrontProxy(app.origin, { scheme, onRequest });
    return { page: await open(), origin, calls };
  }
});

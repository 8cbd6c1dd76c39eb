import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { testSecret } from "../../_setup.ts";
import { startExample, type RunningExample } from "../_example.ts";

describeWithChromium("examples/next, built for production", [], (open) => {
  let app: RunningExample;
  beforeAll(async () => {
    app = await startExample("next", {
      build: "npx next build",
      start: (port) => `npx next start --hostname 127.0.0.1 --port ${port}`,
      env: { STOREFRONT_SESSION_SECRET: testSecret, NEXT_TELEMETRY_DISABLED: "1" },
    });
  });
  afterAll(() => app?.stop());

  const send = (path: string, init?: RequestInit) => fetch(`${app.origin}${path}`, init);

  test("lets a guest fill the basket, register, keep the basket, and log out", async () => {
    const page = await open();
    await page.goto(app.origin);
    await page.getByRole("heading", { name: "Hello, guest!" }).waitFor();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("1 items in the basket").waitFor();
    await page.getByRole("button", { name: "Add two by a Server Action" }).click();
    await page.getByText("3 items in the basket").waitFor();
    await page.getByRole("button", { name: "Add two by a Route Handler" }).click();
    await page.getByText("5 items in the basket").waitFor();
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByRole("heading", { name: "Hello, Ada!" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Hello, Ada!" }).waitFor();
    await page.getByText("5 items in the basket").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Hello, guest!" }).waitFor();
    await page.getByText("0 items in the basket").waitFor();
  });

  test("begins one session for two writes of a new visitor in a Server Action", async () => {
    const page = await open();
    await page.goto(app.origin);
    await page.getByRole("button", { name: "Add two by a Server Action" }).click();
    await page.getByText("2 items in the basket").waitFor();
    expect(await page.context().cookies()).toHaveLength(1);
  });

  test("runs a Server Action for a page of its own origin only", async () => {
    const [name = ""] = /\$ACTION_ID_\w+/.exec(await (await send("/")).text()) ?? [];
    const submit = async (headers: Record<string, string>) => {
      const client = new CookieClient(send);
      await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
      const body = new FormData();
      body.set(name, "");
      await client.request("/", { method: "POST", body, headers }).catch(() => undefined);
      return (await client.call("getBasket")).body.basket.itemCount;
    };
    expect(await submit({ origin: app.origin })).toBe(3);
    expect(await submit({ origin: "https://evil.example" })).toBe(1);
    expect(await submit({ origin: "null" })).toBe(1);
    // Next.js itself accepts an action without an origin.
    expect(await submit({ "sec-fetch-site": "cross-site" })).toBe(1);
  });

  test("begins one session for two writes of a new visitor in a Route Handler", async () => {
    const response = await send("/gift", { method: "POST", redirect: "manual" });
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    const [cookie = ""] = cookies[0]?.split(";") ?? [];
    expect(await (await send("/", { headers: { cookie } })).text()).toContain("<p>2<!-- --> items");
  });

  test("redirects a page to itself if its cookie was replaced a moment ago", async () => {
    const client = new CookieClient(send);
    await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const old = client.cookieHeader;
    const user = { email: "old@example.com", password: "correct horse 9", firstName: "Ada" };
    expect(await client.call("register", user)).toMatchObject({ status: 200 });
    const response = await send("/?page=1", { headers: { cookie: old }, redirect: "manual" });
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe("/?page=1");
  });

  test("responds to every HTTP method, also for paths without a method", async () => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, headers } = await send("/api/rpc/unknown", { method });
      expect(status, method).toBe(404);
      expect(headers.get("content-type"), method).toBe("application/problem+json");
    }
  });

  test("accepts the pages of its own origin only, and finds the client's address", async () => {
    for (const [origin, status] of [
      [app.origin, 200],
      ["https://evil.example", 403],
    ] as const) {
      const headers = { origin, "content-type": "application/json" };
      const response = await send("/api/rpc/getBasket", { method: "POST", body: "{}", headers });
      expect(response.status, origin).toBe(status);
    }
    expect(app.output).not.toContain("no IP address");
  });
});

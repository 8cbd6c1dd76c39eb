import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { testSecret } from "../../_setup.ts";
import { startFrontProxy } from "../_front-proxy.ts";
import { startExample, type RunningExample } from "../_example.ts";
import { expectDevelopmentKeeps } from "../_development.ts";
import { addItem, registerAndLogOut } from "../_journey.ts";
import { testPages } from "../_pages.ts";

describeWithChromium("examples/next, built for production", ["openssl"], (open) => {
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

  testPages(() => app);

  test.each([
    ["alone", false],
    ["behind a proxy that terminates TLS", true],
  ])(
    "lets a guest fill the basket, register, keep the basket, and log out, %s",
    async (_, isProxied) => {
      const origin = isProxied ? await startFrontProxy(app.origin) : app.origin;
      const page = await open();
      await page.goto(origin);
      await page.getByRole("heading", { name: "Hello, guest!" }).waitFor();
      await addItem(page);
      await page.getByRole("button", { name: "Add two by a Server Action" }).click();
      await page.getByText("3 items in the basket").waitFor();
      await page.getByRole("button", { name: "Add two by a Route Handler" }).click();
      await page.getByText("5 items in the basket").waitFor();
      await registerAndLogOut(page, { items: 5, isSecure: isProxied });
    },
  );

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

  test("keeps sessions, baskets, and accounts in development", { timeout: 300_000 }, async () => {
    await expectDevelopmentKeeps(
      app.folder,
      (port) => `npx next dev --hostname 127.0.0.1 --port ${port}`,
      { reloads: false },
    );
  });

  test("begins one session for two writes of a new visitor in a Route Handler", async () => {
    const response = await send("/gift", { method: "POST", redirect: "manual" });
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    const [cookie = ""] = cookies[0]?.split(";") ?? [];
    expect(await (await send("/", { headers: { cookie } })).text()).toContain("<p>2<!-- --> items");
  });
});

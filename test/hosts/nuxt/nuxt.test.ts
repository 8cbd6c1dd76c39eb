import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { until } from "../../_cli.ts";
import { testSecret } from "../../_setup.ts";
import { startFrontProxy } from "../_front-proxy.ts";
import { startExample, type RunningExample } from "../_example.ts";
import { expectDevelopmentKeeps, startDevelopment } from "../_development.ts";
import { addItem, registerAndLogOut } from "../_journey.ts";
import { testPages } from "../_pages.ts";

const develop = (port: number) => `npx nuxt dev --host 127.0.0.1 --port ${port}`;

describeWithChromium("examples/nuxt, built for production", ["openssl"], (open) => {
  let app: RunningExample;
  beforeAll(async () => {
    app = await startExample("nuxt", {
      build: "npx nuxt build && npx nuxt typecheck",
      start: () => "node .output/server/index.mjs",
      env: {
        STOREFRONT_SESSION_SECRET: testSecret,
        NUXT_TELEMETRY_DISABLED: "1",
        HOST: "127.0.0.1",
      },
    });
  });
  afterAll(() => app?.stop());

  const send = (path: string, init?: RequestInit) => fetch(`${app.origin}${path}`, init);

  testPages(() => app);

  test("responds to health checks", async () => {
    expect(await (await send("/readyz")).json()).toEqual({ status: "ok" });
  });

  test.each([
    ["alone", false],
    ["behind a proxy that terminates TLS", true],
  ])(
    "lets a guest fill the basket, register, keep the basket, and log out, %s",
    async (_, isProxied) => {
      const origin = isProxied ? await startFrontProxy(app.origin) : app.origin;
      const page = await open();
      const calls: string[] = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.startsWith("/api/rpc/")) calls.push(pathname);
      });
      await page.goto(origin, { waitUntil: "networkidle" });
      await page.getByText("Hello, guest!").waitFor();
      await page.getByText("0 items in the basket").waitFor();
      // The page has the results of the server, so the browser doesn't call again.
      expect(calls).toEqual([]);
      await addItem(page);
      expect(calls).toContain("/api/rpc/addItemToBasket");
      await registerAndLogOut(page, { items: 1, isSecure: isProxied });
    },
  );

  test("begins one session for two writes of a new visitor while it renders", async () => {
    const page = await open();
    await page.goto(app.origin);
    await page.getByRole("button", { name: "Add two while the server renders" }).click();
    await page.getByText("2 items in the basket").waitFor();
    expect(await page.context().cookies()).toHaveLength(1);
    await page.getByRole("link").click();
    await page.getByRole("heading").waitFor();
    await page.getByText("2 items in the basket").waitFor();

    const response = await send("/gift", { method: "POST", headers: { origin: app.origin } });
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    const [cookie = ""] = cookies[0]?.split(";") ?? [];
    expect(await (await send("/", { headers: { cookie } })).text()).toContain("2 items");
  });

  test("keeps sessions, baskets, and accounts in development", { timeout: 300_000 }, async () => {
    await expectDevelopmentKeeps(app.folder, develop, { reloads: true });
  });

  test("uses a changed config in development, and names its errors", async () => {
    const file = join(app.folder, "storefront.config.ts");
    const text = await readFile(file, "utf8");
    const server = await startDevelopment(app.folder, develop);
    const headers = { "content-type": "application/json", accept: "application/json" };
    const request = { method: "POST", body: "{}", headers };
    const greet = async () => {
      const response = await server.send("/api/rpc/greet", request).catch(() => undefined);
      return (await response?.text()) ?? "";
    };
    await until(async () => (await greet()).includes("Hello, guest!"));
    const method = join(app.folder, "methods/greet.ts");
    await writeFile(method, (await readFile(method, "utf8")).replace("Hello, ", "Welcome, "));
    await until(async () => (await greet()).includes("Welcome, guest!"));
    await writeFile(file, text.replace("shopId: 1001", "shopId: -1"));
    await until(async () => (await greet()).includes("shops[0].shopId: found -1"));
    await writeFile(file, text);
    await until(async () => (await greet()).includes("Welcome, guest!"));
  });
});

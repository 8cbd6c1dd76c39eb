import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { testSecret } from "../../_setup.ts";
import { startFrontProxy } from "../_front-proxy.ts";
import { startExample, type RunningExample } from "../_example.ts";
import { expectDevelopmentKeeps } from "../_development.ts";
import { addItem, registerAndLogOut } from "../_journey.ts";
import { testPages } from "../_pages.ts";

describeWithChromium("examples/nitro, built for production", ["openssl"], (open) => {
  let app: RunningExample;
  beforeAll(async () => {
    app = await startExample("nitro", {
      build: "npx nitro build && npx tsc",
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
      await page.goto(origin);
      await page.getByText("Hello, guest!").waitFor();
      await page.getByText("0 items in the basket").waitFor();
      await addItem(page);
      await registerAndLogOut(page, { items: 1, isSecure: isProxied });
    },
  );

  test("keeps sessions, baskets, and accounts in development", { timeout: 300_000 }, async () => {
    await expectDevelopmentKeeps(
      app.folder,
      (port) => `npx nitro dev --host 127.0.0.1 --port ${port}`,
      { reloads: false },
    );
  });

  test("begins one session for two writes of a new visitor while it renders", async () => {
    const page = await open();
    await page.goto(app.origin);
    await page.getByRole("button", { name: "Add two while the server renders" }).click();
    await page.getByText("2 items in the basket").waitFor();
    expect(await page.context().cookies()).toHaveLength(1);
    await page.goto(app.origin);
    await page.getByText("2 items in the basket").waitFor();

    const response = await send("/gift", { method: "POST", headers: { origin: app.origin } });
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([expect.stringMatching(/^\$session-1001=/)]);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    const [cookie = ""] = cookies[0]?.split(";") ?? [];
    expect(await (await send("/", { headers: { cookie } })).text()).toContain("2 items");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { testAccount } from "../../_client.ts";
import { root } from "../../_cli.ts";
import { holdRequest } from "../../_late-answer.ts";
import { startStorefront } from "../../_process.ts";
import { testSecret } from "../../_setup.ts";
import { findSettings, runProxy } from "../proxies/_proxy.ts";

const example = join(root, "examples/vite");

describeWithChromium("examples/vite, built for production", ["openssl"], (open) => {
  test("lets a guest fill the basket, register, keep the basket, and log out, behind Caddy with the settings of docs/mounting.md", async () => {
    const origin = await startShop();
    const page = await open();
    const call = (method: string, payload?: object) =>
      page.evaluate(
        async ([path, body]) => {
          const headers = { "content-type": "application/json" };
          const response = await fetch(path, { method: "POST", headers, body });
          return [response.status, await response.text()] as const;
        },
        [`/api/rpc/${method}`, JSON.stringify({ payload })] as const,
      );
    const countItems = async () => {
      const [, text] = await call("getBasket");
      return (JSON.parse(text) as { basket: { itemCount: number } }).basket.itemCount;
    };
    await page.goto(origin);
    await page.getByText("Hello, guest!").waitFor();
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button").click();
    await page.getByText("Hello, Ada!").waitFor();
    expect((await call("addItemToBasket", { variantId: 7, quantity: 2 }))[0]).toBe(200);
    expect((await call("register", testAccount))[0]).toBe(200);

    // A path without a file is a path of the page, and its session is the same.
    await page.goto(`${origin}/basket`);
    await page.getByText("Hello, Ada!").waitFor();
    expect(await countItems()).toBe(2);
    expect(await page.context().cookies()).toMatchObject([
      { name: "$session-1001", secure: true, httpOnly: true },
    ]);
    expect((await call("logout"))[0]).toBe(204);
    await page.reload();
    await page.getByText("Hello, guest!").waitFor();
    expect(await countItems()).toBe(0);
  });

  test("takes a name after the script and the first greeting are there, and one at a time", async () => {
    const origin = await startShop();
    const page = await open();
    const releaseScript = await holdRequest(page, ".js");
    const releaseGreeting = await holdRequest(page, "/greet");
    await page.goto(origin, { waitUntil: "commit" });
    const button = page.getByRole("button");
    await page.getByLabel("Your name").fill("Ada");
    await page.keyboard.press("Enter");
    expect(await button.isDisabled()).toBe(true);
    await releaseScript();
    expect(await button.isDisabled()).toBe(true);
    await releaseGreeting();
    await page.getByText("Hello, guest!").waitFor();
    const releaseName = await holdRequest(page, "/setName");
    await button.click();
    expect(await button.isDisabled()).toBe(true);
    await releaseName();
    await page.getByText("Hello, Ada!").waitFor();
  });
});

// --- Internal helpers ---

/** Builds the pages, and serves them and their storefront by Caddy until the test ends. @returns the origin of the shop */
async function startShop(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-vite-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const pages = join(folder, "dist");
  await build({ root: example, logLevel: "warn", build: { outDir: pages, emptyOutDir: true } });
  const server = await startStorefront(join(example, "storefront.config.ts"), {
    cwd: folder,
    env: { NODE_ENV: "production", STOREFRONT_SESSION_SECRET: testSecret },
  });
  onTestFinished(() => server.kill());
  const settings = findSettings("mounting.md", "Caddy")
    .replace("/srv/shop/dist", pages)
    .replace("127.0.0.1:3000", new URL(server.origin).host);
  return `https://shop.example:${await runProxy("Caddy", settings)}`;
}

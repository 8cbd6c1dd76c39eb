import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createServerApp } from "../../../server/cli/http-server.ts";
import { listen } from "../../../server/cli/listen.ts";
import { openStorefront } from "../../../server/storefront.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { describeWithChromium, type OpenPage } from "../../_chromium.ts";
import { root } from "../../_cli.ts";
import { holdRequest } from "../../_late-answer.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testConfig } from "../../_setup.ts";

const password = "correct horse battery";

/** Set it to replace the screenshots in the docs. */
const updatesScreenshots = Boolean(process.env["UPDATE_SCREENSHOTS"]);

/** Opens the development page of a storefront in Chromium. */
async function openDevPage(open: OpenPage, config: Partial<StorefrontConfig> = {}) {
  const { log } = createTestLog();
  const storefront = openStorefront(testConfig({ log, ...config }), { production: false });
  const running = await listen(storefront, await createServerApp(storefront), "127.0.0.1", 0);
  onTestFinished(() => running.stop("reload"));
  const page = await open();
  const errors: string[] = [];
  page.on("console", (line) => void (line.type() === "error" && errors.push(line.text())));
  page.on("pageerror", (error) => void errors.push(String(error)));
  // `/` leads to the page.
  await page.goto(running.url);
  await page.waitForSelector("body[data-ready]");
  return { page, errors, origin: new URL(running.url).origin };
}

/** Fills in the form of a method, sends it as a visitor, and waits for the response. */
async function call(
  page: Page,
  visitor: "A" | "B",
  method: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  await page.getByLabel("Method", { exact: true }).selectOption(method);
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`#field-${name}`);
    const isChoice = (await field.evaluate(({ tagName }) => tagName)) === "SELECT";
    if (isChoice) await field.selectOption(value);
    else await field.fill(value);
  }
  await page.getByRole("button", { name: `Send as visitor ${visitor}` }).click();
  const status = page.getByRole("status");
  const text = new RegExp(`^Visitor ${visitor}: ${method} \\d`);
  await status.filter({ hasText: text }).waitFor();
  return status.innerText();
}

/** The violations that axe finds, each with the elements. */
async function findViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

async function takeScreenshot(page: Page, name: string): Promise<void> {
  if (!updatesScreenshots) return;
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(root, `docs/images/dev-page${name}.png`) });
}

describeWithChromium("the development page in Chromium", [], (open) => {
  test("shows a merge and a revocation of two visitors, side by side", async () => {
    const { page, errors } = await openDevPage(open);
    expect(new URL(page.url()).pathname).toBe("/_storefront");
    const [a, b] = [page.locator("#visitor-A"), page.locator("#visitor-B")];

    const item = { variantId: "7", quantity: "2" };
    expect(await call(page, "A", "addItemToBasket", item)).toContain("200 OK");
    expect(await a.innerText()).toContain("variant 7");
    const ada = { email: "ada@example.com", password };
    await call(page, "A", "register", { ...ada, firstName: "Ada" });
    expect(await a.innerText()).toMatch(/"email": "ada@example.com"[^]*variant 7/);

    await call(page, "B", "addItemToBasket", { variantId: "8", quantity: "1" });
    await call(page, "B", "login", ada);
    expect(await b.innerText()).toMatch(/variant 7[^]*variant 8/);
    await page.setViewportSize({ width: 1280, height: 1000 });
    await takeScreenshot(page, "");

    await call(page, "A", "logoutEverywhere", { keepCurrent: "true" });
    expect(await a.innerText()).toContain("ada@example.com");
    expect(await b.innerText()).toContain("Ended: a logout, a revocation");

    const calls = page.locator("#calls > li");
    expect(await calls.count()).toBe(5);
    await calls.first().locator("summary").first().click();
    expect(await calls.first().innerText()).toMatch(/B\s+session.state\s+active\s+ended/);
    if (updatesScreenshots) {
      const path = join(root, "docs/images/dev-page-calls.png");
      await page.locator("#calls-section").screenshot({ path });
    }
    expect(await page.content()).not.toContain(password);
    // The visitors' cookies are on the server.
    expect(await page.context().cookies()).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("works by keyboard, and shows the error of a field", async () => {
    const { page, errors } = await openDevPage(open);
    await page.getByLabel("Method", { exact: true }).selectOption("addItemToBasket");
    await page.locator("#field-variantId").focus();
    await page.keyboard.type("7");
    await page.keyboard.press("Tab");
    await page.keyboard.type("0");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "422" }).waitFor();
    const error = page.locator("#field-quantity-error");
    await error.filter({ hasText: "Too small" }).waitFor();
    expect(await page.locator("#field-quantity").getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("field-quantity");
    expect(errors).toEqual([]);
  });

  test("takes JSON for the payload, and switches the shop", async () => {
    const { page } = await openDevPage(open);
    await page.getByLabel("Shop").selectOption("1002");
    await page.getByLabel("Method", { exact: true }).selectOption("addItemsToBasket");
    await page.getByLabel("Write the payload as JSON").check();
    await page.locator("#field-payload").fill('{"items":[{"variantId":7,"quantity":1}]}');
    await page.getByRole("button", { name: "Send as visitor B" }).click();
    await page.getByRole("status").filter({ hasText: "addItemsToBasket 200" }).waitFor();
    const pane = page.locator("#visitor-B");
    expect(await pane.innerText()).toContain("variant 7");
    await page.getByLabel("Shop").selectOption("1001");
    await pane.filter({ hasText: "No session" }).waitFor();
  });

  test("shows a form for unions that contain each other", async () => {
    const term: z.ZodType = z.lazy(() => z.union([z.number(), sum]));
    const sum: z.ZodType = z.lazy(() => z.union([z.string(), term]));
    const evaluate = defineRpcMethod({
      input: z.object({ sum }),
      handler: ({ sum: it }) => `${it}`,
    });
    const { page, errors } = await openDevPage(open, { methods: { evaluate } });
    expect(await call(page, "A", "evaluate", { sum: "7" })).toContain("evaluate 200");
    expect(errors).toEqual([]);
  });

  test("shows the shop that was chosen last, if responses for another one come late", async () => {
    const bearer = { tokenMethod: "bearer" } as const;
    const { page } = await openDevPage(open, {
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us", session: bearer },
      ],
    });
    const choose = (shopId: string) => page.getByLabel("Shop").selectOption(shopId);
    const access = page.locator("#call .about").first();
    await call(page, "A", "addItemToBasket", { variantId: "7", quantity: "1" });

    const releaseDocument = await holdRequest(page, "/document");
    await choose("1002");
    await choose("1001");
    await releaseDocument();
    await access.filter({ hasText: "Session by cookie" }).waitFor();

    const releaseState = await holdRequest(page, "/state");
    await choose("1002");
    await access.filter({ hasText: "Session by bearer" }).waitFor();
    await choose("1001");
    await access.filter({ hasText: "Session by cookie" }).waitFor();
    await releaseState();
    await page.locator("#visitor-A").filter({ hasText: "variant 7" }).waitFor();
  });

  test("offers no method until those of the chosen shop are there, so no input gets lost", async () => {
    const { page } = await openDevPage(open);
    const release = await holdRequest(page, "/document");
    await page.getByLabel("Shop").selectOption("1002");
    expect(await page.getByLabel("Method", { exact: true }).locator("option").count()).toBe(0);
    await release();
    await call(page, "B", "addItemToBasket", { variantId: "7", quantity: "1" });
  });

  test("describes each method: payload, result, and problems", async () => {
    const { page, origin } = await openDevPage(open);
    await page.getByLabel("Method", { exact: true }).selectOption("login");
    const reference = page.locator(".reference");
    for (const summary of await reference.locator("summary").all()) await summary.click();
    const document = await page.getByRole("link").getAttribute("href");
    expect((await fetch(new URL(document ?? "", origin))).status).toBe(200);
    const text = await reference.innerText();
    expect(text).toMatch(/"email"[^]*"merge"[^]*invalid_credentials/);
  });

  test("passes axe, in light and dark, wide and on a phone", async () => {
    const { page } = await openDevPage(open);
    await call(page, "A", "register", { email: "ada@example.com", password, firstName: "Ada" });
    await call(page, "A", "addItemToBasket", { variantId: "7", quantity: "2" });
    await call(page, "B", "addItemToBasket", { variantId: "7", quantity: "0" });
    await page.setViewportSize({ width: 375, height: 812 });
    await takeScreenshot(page, "-phone");
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "dark" });
    await takeScreenshot(page, "-dark");
    for (const summary of await page.locator("summary").all()) {
      if (await summary.isVisible()) await summary.click();
    }
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 375]) {
        await page.setViewportSize({ width, height: 812 });
        expect(await findViolations(page), `${colorScheme} ${width}`).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${colorScheme} ${width}`).toBe(0);
      }
    }
  });
});

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page, Request } from "playwright-core";
import { expect, test } from "vitest";
import { describeWithChromium } from "../_chromium.ts";
import { serveSite } from "./_serve.ts";

const axeSource = readFileSync(
  fileURLToPath(new URL("../../docs/node_modules/axe-core/axe.min.js", import.meta.url)),
  "utf8",
);

/** One page of each kind. */
const mainPages = [
  "index",
  "concepts",
  "tutorial",
  "overview",
  "rpc",
  "config",
  "doctor",
  "errors/session_changed",
  "findings/SF203",
  "api/index",
  "api/storefront-core/interfaces/RpcContext",
  "examples/mounts/express.js",
];
const phone = { width: 390, height: 844 };

describeWithChromium("the site in Chromium", [], (open) => {
  test.each(mainPages)(
    "%s has no accessibility violation, light or dark, on a desktop or a phone",
    async (name) => {
      const origin = await serveSite();
      const page = await open();
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await visit(page, `${origin}/${name}.html`);
        expect.soft(await findViolations(page), colorScheme).toEqual([]);
      }
      await page.setViewportSize(phone);
      expect.soft(await findViolations(page), "phone").toEqual([]);
      expect(await page.evaluate(isTooWide)).toBe(false);
    },
  );

  test.each(mainPages)(
    "%s loads at most 500 kB in 15 requests, all from the site",
    async (name) => {
      const origin = await serveSite();
      const page = await open({ private: true });
      const requests: Request[] = [];
      page.on("request", (request) => requests.push(request));
      await visit(page, `${origin}/${name}.html`);
      expect(requests.map((request) => new URL(request.url()).origin)).toEqual(
        requests.map(() => origin),
      );
      expect(requests.length).toBeLessThanOrEqual(15);
      const sizes = await Promise.all(requests.map((request) => request.sizes()));
      const bytes = sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
      expect(bytes).toBeLessThanOrEqual(500_000);
    },
  );

  test("the search finds the page of an option", async () => {
    const origin = await serveSite();
    const page = await open();
    await visit(page, origin);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("searchbox").fill("renewAfter");
    await page.getByRole("option", { name: "Config reference" }).first().click();
    await page.waitForURL(/\/config\.html/);
  });
});

function isTooWide(): boolean {
  return document.documentElement.scrollWidth > window.innerWidth;
}

/** Opens a page, and waits until its scripts run. */
async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url, { waitUntil: "networkidle" });
  await page.waitForFunction(() => "__vue_app__" in (document.querySelector("#app") ?? {}));
}

/** A broken rule that axe reports. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Checks a page by axe. @returns each broken rule, with its first element */
async function findViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: { run(): Promise<{ readonly violations: readonly Violation[] }> };
    };
    return (await axe.run()).violations;
  });
  return violations.map(({ id, nodes: [node, ...others] }) => {
    const { html = "", failureSummary = "" } = node ?? {};
    return `${id}, ${others.length} others: ${html.slice(0, 200)}: ${failureSummary}`;
  });
}

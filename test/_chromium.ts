import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { describe, onTestFinished, test } from "vitest";

export const chromiumPath = "/usr/bin/chromium";

/** The build tool of the page in `examples/vue-axios`. */
export const pageModules = fileURLToPath(
  new URL("../examples/vue-axios/node_modules/vite", import.meta.url),
);

/** The tools that a test can need besides a browser. */
export type Need = "openssl" | "page";

/** Opens a page with its own cookies until the test ends; a private page blocks third-party cookies. */
export type OpenPage = (options?: { readonly private: boolean }) => Promise<Page>;

/** `describe` for tests that need a browser. Without one, the tests fail in CI and are skipped elsewhere. */
export function describeWithChromium(
  name: string,
  needs: readonly Need[],
  body: (open: OpenPage) => void,
): void {
  const missing = [...(isThere(chromiumPath) ? [] : [how.chromium]), ...findMissing(needs)];
  if (missing.length === 0) {
    describe(name, { timeout: 60_000 }, () => body(openPage));
  } else if (process.env["CI"]) {
    describe(name, () => {
      test.each(missing)("needs %s", (what) => {
        throw new Error(`"${name}" needs ${what}`);
      });
    });
  } else {
    // _global.ts prints the skipped tests, once for all files.
    describe.skip(name, () => body(openPage));
  }
}

// --- Internal helpers ---

const how = {
  chromium: "chromium; get it with: apt-get install chromium",
  openssl: "openssl; get it with: apt-get install openssl",
  page: "the modules of examples/vue-axios; get them with: npm ci --prefix examples/vue-axios",
};

function findMissing(needs: readonly Need[]): string[] {
  const has: Record<Need, () => boolean> = {
    openssl: () => isThere("openssl", "version"),
    page: () => existsSync(pageModules),
  };
  return needs.filter((need) => !has[need]()).map((need) => how[need]);
}

function isThere(command: string, argument = "--version"): boolean {
  return spawnSync(command, [argument]).status === 0;
}

const openPage: OpenPage = async ({ private: isPrivate } = { private: false }) => {
  const options = { executablePath: chromiumPath, args: flags };
  if (!isPrivate) {
    const profile = await chromium.launchPersistentContext(await createProfile(), options);
    onTestFinished(() => profile.close());
    return profile.newPage();
  }
  const browser = await chromium.launch(options);
  onTestFinished(() => browser.close());
  return browser.newPage();
};

/** A profile that allows third-party cookies, which some builds of the browser block by default. */
async function createProfile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-chromium-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "Default"));
  const profile = { block_third_party_cookies: false, cookie_controls_mode: 0 };
  await writeFile(join(folder, "Default/Preferences"), JSON.stringify({ profile }));
  return folder;
}

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--ignore-certificate-errors",
  "--host-resolver-rules=MAP *.example 127.0.0.1, MAP *.test 127.0.0.1",
];

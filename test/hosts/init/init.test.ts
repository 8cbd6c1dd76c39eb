import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { root, until } from "../../_cli.ts";
import { findFreePort, startCommand } from "../../_command.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

const timeout = 900_000;

let top: string;
/** The packed packages, as npm would install them. */
let packages: readonly string[];

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), "storefront-init-"));
  packages = [root, join(root, "packages/create")].map((folder) => {
    const pack = `npm pack --silent --ignore-scripts --pack-destination ${top}`;
    return join(top, run(pack, folder).trim());
  });
  mkdirSync(join(top, "tools"));
  writeFileSync(join(top, "tools/package.json"), '{ "private": true }');
  run(
    `npm install --ignore-scripts --no-audit --no-fund ${packages.join(" ")}`,
    join(top, "tools"),
  );
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

describeWithChromium("a project without a framework", [], (open) => {
  test("passes its checks, and shows a page that calls its method", { timeout }, async () => {
    const startedAt = performance.now();
    const folder = create("none", "create-storefront-core none --yes");
    const port = await findFreePort();
    const server = await startCommand(
      `npm run dev -- --port ${port} --strictPort`,
      { cwd: folder },
      (output) => output.includes("Local:"),
    );
    onTestFinished(() => server.stop());
    const page = await open();
    await page.goto(`http://localhost:${port}`);
    await page.getByText("Hello, guest!").waitFor();
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`The page showed the result after ${seconds.toFixed(1)} seconds`);

    const method = join(folder, "methods/greet.ts");
    writeFileSync(method, readFileSync(method, "utf8").replace("Hello", "Welcome"));
    await until(() => server.output().includes("reloaded: methods/greet.ts"));
    await page.reload();
    await page.getByText("Welcome, guest!").waitFor();

    writeFileSync(method, readFileSync(method, "utf8").replace("Welcome", "Hello"));
    check(folder);
    run("npm run build", folder);
  });
});

describe("a project with SvelteKit", () => {
  test("passes its checks, and shows a page that calls its method", { timeout }, async () => {
    const folder = create("sveltekit", "storefront-core init sveltekit --framework sveltekit");
    check(folder);
    await expectPage(folder);
  });
});

describe("a project with Next.js and Vendure", () => {
  test("passes its checks, and shows a page that calls its method", { timeout }, async () => {
    const folder = create(
      "next",
      "storefront-core init next --framework next --commerce vendure --yes",
    );
    check(folder);
    await expectPage(folder);
  });
});

describeWithRedis("a project with Nuxt and Redis", () => {
  const redis = useRedis();

  test("passes its checks, and shows a page that calls its method", { timeout }, async () => {
    const folder = create("nuxt", "storefront-core init nuxt --framework nuxt --storage redis");
    check(folder);
    await expectPage(folder, { STOREFRONT_REDIS_URL: redis().url });
  });
});

// --- Internal helpers ---

/** Runs a command of an installed package, and installs the project that it creates. */
function create(name: string, command: string): string {
  const output = run(`tools/node_modules/.bin/${command}`, top);
  expect(output).toContain(`cd ${name}\n  npm install\n`);
  const folder = join(top, name);
  const path = join(folder, "package.json");
  const text = readFileSync(path, "utf8");
  const packed = `"storefront-core": "file:${packages[0]}"`;
  writeFileSync(path, text.replace(/"storefront-core": "[^"]+"/, packed));
  run("npm install --prefer-offline --no-audit --no-fund", folder);
  return folder;
}

function check(folder: string): void {
  expect(run("npm test", folder)).toMatch(/Tests .*1 passed/);
  run("npm run typecheck", folder);
  run("npm run lint", folder);
}

/** Builds a project, and starts it with the secret of its `.env`. */
async function expectPage(folder: string, env: Record<string, string> = {}): Promise<void> {
  run("npm run build", folder);
  const port = await findFreePort();
  const origin = `http://localhost:${port}`;
  const server = await startCommand(
    "npm start",
    { cwd: folder, env: { PORT: String(port), ORIGIN: origin, ...env } },
    (output) => /Listening on|Ready in/.test(output),
  );
  onTestFinished(() => server.stop());
  const client = new CookieClient((path, init) => fetch(`${origin}${path}`, init));
  expect(await client.call("greet")).toMatchObject({ status: 200, body: "Hello, guest!" });
  const html = await (await fetch(origin)).text();
  // React puts a comment between two texts.
  const text = html.replaceAll(/<!--.*?-->/g, "");
  expect(text).toContain("Hello, guest!");
  expect(text).toContain("0 items in the basket");
}

/** Runs a command without the variables of this test runner. */
function run(command: string, cwd: string): string {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(?:VITEST.*|NODE_ENV|TEST|DEV|PROD|MODE|SSR|BASE_URL)$/.test(name),
  );
  try {
    const env = { ...Object.fromEntries(entries), CI: "true", NO_COLOR: "1" };
    return execFileSync("sh", ["-c", command], { cwd, env, stdio: "pipe" }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: Buffer; readonly stderr: Buffer };
    throw new Error(`${command} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithChromium } from "../_chromium.ts";
import { testAccount as account } from "../_client.ts";
import { findFreePort, startCommand, type RunningCommand } from "../_command.ts";
import { holdRequest } from "../_late-answer.ts";
import { callFrom, converse, servePage } from "../_page-server.ts";
import { testSecret } from "../_setup.ts";
import { readTable } from "../_table.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("examples/bearer", () => {
  test("prints the conversation in its README", async () => {
    const readme = await readFile(join(root, "examples/bearer/README.md"), "utf8");
    const [, command = "", answer] = /^```console\n\$ (.*)\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const { stdout } = await promisify(execFile)("bash", ["-c", command], { cwd: root });
    expect(stdout).toBe(answer);
  });

  test("contains the loop of Vendure's clients", async () => {
    const loop = await readFile(join(root, "examples/bearer/request.js"), "utf8");
    expect(loop).toContain("const headers = token ? { Authorization: `Bearer ${token}` } : {};");
    expect(loop).toContain('const authToken = response.headers.get("vendure-auth-token");');
    expect(loop).toMatch(/if \(authToken != null\) \{\s+token = authToken;\s+\}/);
  });
});

describeWithChromium("examples/vue-axios", ["page"], (open) => {
  let origin: string;
  let example: RunningCommand;
  beforeAll(async () => {
    const [api, pagePort] = [await findFreePort(), await findFreePort()];
    origin = `http://localhost:${pagePort}`;
    const env = {
      PORT: String(api),
      PAGE_ORIGIN: origin,
      VITE_API: `http://localhost:${api}`,
      STOREFRONT_SESSION_SECRET: testSecret,
    };
    const cwd = join(root, "examples/vue-axios");
    example = await startCommand("npm start", { cwd, env }, saysBoth);
  }, 150_000);
  afterAll(() => example?.stop());

  test(
    "registers, fills the basket, reloads, logs out, and logs in again",
    { timeout: 60_000 },
    async () => {
      const readme = await readFile(join(root, "examples/vue-axios/README.md"), "utf8");
      expect(readme).toContain("```sh\nnpm ci && npm start\n```");
      const page = await open();
      const shows = (text: string) => page.getByRole("heading", { name: text }).waitFor();
      const fill = async () => {
        await page.getByLabel("E-mail").fill(account.email);
        await page.getByLabel("Password").fill(account.password);
      };
      await page.goto(origin);
      await shows("Hello, guest");
      await click(page, "Add to basket");
      await expectPieces(page, 1);
      await page.reload();
      await expectPieces(page, 1);
      await fill();
      await click(page, "Register");
      await shows(`Hello, ${account.email}`);
      await expectPieces(page, 1);
      await click(page, "Add to basket");
      await expectPieces(page, 2);
      await page.reload();
      await shows(`Hello, ${account.email}`);
      await expectPieces(page, 2);
      expect(await page.evaluate(() => document.cookie)).toBe("");
      await click(page, "Log out");
      await shows("Hello, guest");
      await expectPieces(page, 0);
      await page.getByLabel("E-mail").fill(account.email);
      await page.getByLabel("Password").fill("wrong password");
      await click(page, "Log in");
      await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
      await fill();
      await click(page, "Log in");
      await shows(`Hello, ${account.email}`);
      await expectPieces(page, 2);
    },
  );

  test(
    "calls for a click after the calls before it, so no late response overwrites the result",
    { timeout: 60_000 },
    async () => {
      const page = await open();
      const release = await holdRequest(page, "/getBasket");
      const sent: string[] = [];
      page.on("request", (request) => sent.push(request.url()));
      await page.goto(origin);
      await click(page, "Add to basket");
      await click(page, "Add to basket");
      await page.evaluate("new Promise(requestAnimationFrame)");
      expect(sent.filter((url) => url.endsWith("/addItemToBasket"))).toEqual([]);
      await release();
      await expectPieces(page, 2);
    },
  );
});

function click(page: Page, name: string): Promise<void> {
  return page.getByRole("button", { name }).click();
}

function expectPieces(page: Page, count: number): Promise<void> {
  return page.locator("output", { hasText: new RegExp(`^${count}$`) }).waitFor();
}

/** Whether the server and the page have printed their URLs. */
function saysBoth(output: string): boolean {
  return output.includes("listens on") && output.includes("Local:");
}

describeWithChromium("docs/cors.md", ["openssl"], (open) => {
  const rows = readTable("docs/cors.md", "the page is at");
  const ofPages = rows
    .filter(([page]) => page?.startsWith("`"))
    .map((cells) => cells.map((cell) => /^`(.*?)`/.exec(cell)?.[1] ?? ""));
  const isPrivate = (index: number) => rows[index]?.[1]?.includes("blocked") === true;

  test("lists each combination", () => {
    expect(rows).toHaveLength(6);
    expect(ofPages).toHaveLength(5);
  });

  for (const [index, [at = "", server = "", settings = ""]] of ofPages.entries()) {
    test(`row ${index + 1}: a page at ${at} works with a server at ${server} and ${settings}`, async () => {
      const served = await servePage(at, server, settings);
      const page = await open({ private: isPrivate(index) });
      expect(await converse(page, served)).toEqual({ added: 1, email: account.email, kept: 1 });
      await callFrom(page, served.server, "logout");
      expect(await callFrom(page, served.server, "getUser")).toEqual({});
    });
    if (settings === "{}") continue;
    test(`row ${index + 1}: fails without the settings`, async () => {
      const served = await servePage(at, server, "{}");
      await expect(converse(await open(), served)).rejects.toThrow("Failed to fetch");
      expect(served.reached).toEqual([]);
    });
  }
});

describeWithChromium("a page of another site", ["openssl"], (open) => {
  const lax = '{ cors: { origin: ["https://shop.test"] } }';
  const none = '{ cors: { origin: ["https://shop.test"] }, session: { sameSite: "none" } }';

  test("gets no session with a SameSite=Lax cookie", async () => {
    const served = await servePage("https://shop.test", "https://api.test", lax);
    expect(await converse(await open(), served)).toEqual({ added: 1, email: undefined, kept: 0 });
  });

  test("keeps its session with a SameSite=None cookie that is Secure", async () => {
    const served = await servePage("https://shop.test", "https://api.test", none);
    const page = await open();
    expect(await converse(page, served)).toEqual({ added: 1, email: account.email, kept: 1 });
    expect(await page.context().cookies(served.server)).toMatchObject([
      { name: "$session-1001", domain: "api.test", httpOnly: true, secure: true, sameSite: "None" },
    ]);
  });

  test("keeps its session with a partitioned cookie only, if the browser blocks third-party cookies", async () => {
    const partitioned = none.replace('"none"', '"none", partitioned: true');
    for (const [settings, kept] of [
      [none, 0],
      [partitioned, 1],
    ] as const) {
      const served = await servePage("https://shop.test", "https://api.test", settings);
      const page = await open({ private: true });
      expect(await converse(page, served), settings).toMatchObject({ added: 1, kept });
    }
  });
});

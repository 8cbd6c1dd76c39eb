import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../_chromium.ts";
import { testAccount as account } from "../_client.ts";
import { findFreePort, startCommand } from "../_command.ts";
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
  test(
    "registers, fills the basket, reloads, logs out, and logs in again",
    { timeout: 60_000 },
    async () => {
      const readme = await readFile(join(root, "examples/vue-axios/README.md"), "utf8");
      expect(readme).toContain("```sh\nnpm ci && npm start\n```");
      const [api, pagePort] = [await findFreePort(), await findFreePort()];
      const origin = `http://localhost:${pagePort}`;
      const env = {
        PORT: String(api),
        PAGE_ORIGIN: origin,
        VITE_API: `http://localhost:${api}`,
        STOREFRONT_SESSION_SECRET: testSecret,
      };
      const cwd = join(root, "examples/vue-axios");
      const example = await startCommand("npm start", { cwd, env }, saysBoth);
      onTestFinished(() => example.stop());

      const page = await open();
      const button = (name: string) => page.getByRole("button", { name }).click();
      const shows = (text: string) => page.getByRole("heading", { name: text }).waitFor();
      const pieces = (count: number) =>
        page.locator("output", { hasText: new RegExp(`^${count}$`) }).waitFor();
      const fill = async () => {
        await page.getByLabel("E-mail").fill(account.email);
        await page.getByLabel("Password").fill(account.password);
      };
      await page.goto(origin);
      await shows("Hello, guest");
      await button("Add to basket");
      await pieces(1);
      await page.reload();
      await pieces(1);
      await fill();
      await button("Register");
      await shows(`Hello, ${account.email}`);
      await pieces(1);
      await button("Add to basket");
      await pieces(2);
      await page.reload();
      await shows(`Hello, ${account.email}`);
      await pieces(2);
      expect(await page.evaluate(() => document.cookie)).toBe("");
      await button("Log out");
      await shows("Hello, guest");
      await pieces(0);
      await page.getByLabel("E-mail").fill(account.email);
      await page.getByLabel("Password").fill("wrong password");
      await button("Log in");
      await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
      await fill();
      await button("Log in");
      await shows(`Hello, ${account.email}`);
      await pieces(2);
    },
  );
});

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

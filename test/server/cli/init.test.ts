import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { toConfig } from "../../../server/cli/init/config-file.ts";
import type { Choices } from "../../../server/cli/init/choices.ts";
import { frameworks } from "../../../server/cli/init/frameworks.ts";
import { createFolder, root, runCli, until } from "../../_cli.ts";
import { isWeakSecret } from "../../../server/config/weak-secret.ts";

vi.setConfig({ testTimeout: 30_000 });

const names = Object.keys(frameworks) as Choices["framework"][];

describe("init", () => {
  test.each(names)("writes a project without a question: %s", async (framework) => {
    const folder = await createFolder({});
    const args = ["init", "my-shop", "--framework", framework, "--shop", "7"];
    const { code, stdout, stderr } = await runCli(args, { folder });
    expect([code, stderr]).toEqual([0, ""]);
    const project = join(folder, "my-shop");
    const files = await listFiles(project);
    expect(files).toEqual(
      expect.arrayContaining([
        ".env",
        ".gitignore",
        "methods/greet.ts",
        "package.json",
        "storefront.config.ts",
        "test/greet.test.ts",
        "tsconfig.json",
        "vitest.config.ts",
      ]),
    );
    expect(files.filter((path) => /README|lock|npmrc|node_modules|compose/.test(path))).toEqual([]);
    for (const path of files) expect(stdout).toContain(`\n  ${path}\n`);
    expect(stdout).toContain("\nNext\n  cd my-shop\n  npm install\n  npm run dev\n");

    const text = await readAll(project, files);
    // The whole number, because a random secret can contain these digits.
    expect(text).not.toMatch(/\b1001\b/);
    expect(text).not.toContain("file:../..");
    const { name, scripts, dependencies } = JSON.parse(await read(project, "package.json"));
    const { version } = JSON.parse(await read(root, "package.json"));
    expect([name, dependencies["storefront-core"]]).toEqual(["my-shop", `^${version}`]);
    expect(Object.keys(scripts)).toEqual(
      expect.arrayContaining(["dev", "build", "start", "typecheck", "lint", "test"]),
    );
  });

  test("writes a random secret that only this user can read, and that Git ignores", async () => {
    const secrets: string[] = [];
    for (const name of ["a", "b"]) {
      const folder = await createFolder({});
      const { stdout } = await runCli(["init", name, "--yes"], { folder });
      const text = await read(folder, `${name}/.env`);
      const secret = /^STOREFRONT_SESSION_SECRET=(\S+)$/m.exec(text)?.[1] ?? "";
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      expect(isWeakSecret(secret)).toBe(false);
      expect(stdout).not.toContain(secret);
      expect((await stat(join(folder, name, ".env"))).mode & 0o077).toBe(0);
      expect((await read(folder, `${name}/.gitignore`)).split("\n")).toContain(".env");
      secrets.push(secret);
    }
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  test.each([
    ["memory", "none"],
    ["memory", "vendure"],
    ["redis", "none"],
    ["redis", "vendure"],
  ] as const)("writes a config for production: %s, %s", async (storage, commerce) => {
    const folder = await createFolder({});
    const args = ["--storage", storage, "--commerce", commerce, "--locale", "de-DE", "--currency"];
    const created = await runCli(["init", ".", ...args, "EUR"], { folder });
    expect([created.code, created.stderr]).toEqual([0, ""]);
    await symlink(join(root, "node_modules/zod"), join(folder, "node_modules/zod"));
    const { code, stdout, stderr } = await runCli(["explain", "--shop", "1001", "--json"], {
      folder,
      env: { NODE_ENV: "production" },
    });
    expect([code, stderr]).toEqual([0, ""]);
    const { settings } = JSON.parse(stdout) as {
      readonly settings: readonly { readonly key: string; readonly value: unknown }[];
    };
    const values = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
    expect(values).toMatchObject({
      locale: "de-DE",
      currency: "EUR",
      "session.secret": "1 secret (64 characters)",
      "storage.session": storage,
      commerce: commerce === "none" ? null : expect.stringContaining("grants"),
    });
    expect((await listFiles(folder)).includes("compose.yaml")).toBe(storage === "redis");
  });

  test("writes the same lines for each framework", async () => {
    for (const { example } of Object.values(frameworks)) {
      const text = await read(root, `examples/${example}/storefront.config.ts`);
      const config = toConfig(text, {
        shop: "7",
        locale: "fr-FR",
        currency: "CHF",
        framework: "none",
        storage: "redis",
        commerce: "vendure",
      });
      expect(config).toContain('shops: [{ shopId: 7, locale: "fr-FR", currency: "CHF" }],');
      expect(config).toContain('driver: "redis", url: process.env["STOREFRONT_REDIS_URL"] } },');
      expect(config).toMatch(/^import .*\n(?:import .*\n)*import \{ vendure \}.*\n\n/);
      expect(config).toContain("  commerce: vendure({");
    }
  });

  test("overwrites no file, lists the existing ones, and prints their missing parts", async () => {
    const own = {
      "package.json": '{ "scripts": { "test": "own" }, "dependencies": { "zod": "1.0.0" } }',
      ".gitignore": "node_modules\n",
      ".env": "OTHER=1\n",
      "methods/greet.ts": "// own\n",
    };
    const folder = await createFolder(own);
    const { code, stdout, stderr } = await runCli(["init"], { folder });
    expect([code, stderr]).toEqual([0, ""]);
    for (const [path, text] of Object.entries(own)) expect(await read(folder, path)).toBe(text);
    const [, left = "", missing = ""] = stdout.split(/Not changed.*|Complete these.*/);
    expect(left.trim().split(/\s+/).toSorted()).toEqual(Object.keys(own).toSorted());
    expect(missing).toContain('npm pkg set "scripts.dev=vite" ');
    expect(missing).not.toContain("scripts.test=");
    expect(missing).toContain('npm install "storefront-core@^');
    expect(missing).not.toContain("zod@");
    expect(missing).toContain('npm install --save-dev "@types/node@');
    expect(missing).toContain("Add .env to .gitignore");
    expect(missing).toContain("Add STOREFRONT_SESSION_SECRET to .env");
    expect(await listFiles(folder)).toContain("storefront.config.ts");

    const again = await runCli(["init"], { folder });
    expect(again.code).toBe(0);
    expect(again.stdout).not.toContain("Created in");
  });

  test("says which parts of a CommonJS package.json need a change", async () => {
    const own = { type: "commonjs", scripts: { dev: "node server.js", lint: "oxlint" } };
    const folder = await createFolder({ "package.json": `\uFEFF${JSON.stringify(own)}` });
    const { code, stdout, stderr } = await runCli(["init", "--framework", "nuxt"], { folder });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/ {2}npm pkg set .*"overrides\.vite=\d.*"type=module"\n/);
    expect(stdout).toContain("rename those of CommonJS to .cjs");
    expect(stdout).toContain('Your script "dev" stays. The one of this project is: nuxt dev\n');
    expect(stdout).not.toContain('Your script "lint"');
    const module = await createFolder({ "package.json": '{ "type": "module" }' });
    expect((await runCli(["init"], { folder: module })).stdout).not.toContain("type=module");
  });

  test.each(["", '{ "name": "x", }', "[]", "null"])(
    "writes nothing next to a package.json that is no JSON object: %j",
    async (text) => {
      const folder = await createFolder({ "package.json": text });
      const { code, stdout, stderr } = await runCli(["init"], { folder });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toBe(
        `storefront: ${join(folder, "package.json")} is not a JSON object. Correct or remove it; nothing was written\n`,
      );
      expect(await listFiles(folder)).toEqual(["package.json"]);
    },
  );

  test.each([
    [
      ["--framework", "nxt"],
      /^storefront: --framework: found "nxt", expected none, nuxt, next, sveltekit; did you mean (?:nuxt|next)\? \(SF907\)\n$/,
    ],
    [["--shop", "0"], /--shop: found "0", expected a whole number, 1 or more \(SF907\)/],
    [["--locale", "de_DE"], /--locale: found "de_DE", expected a language tag.*\(SF907\)/],
    [["--currency", "euro"], /--currency: found "euro", expected a currency code.*\(SF907\)/],
    [["--storage", "disk"], /--storage: .*expected memory, redis \(SF907\)/],
    [["--commerce", "shop"], /--commerce: .*expected none, vendure \(SF907\)/],
    [["a", "b"], /Unknown command "init a b" \(SF907\)/],
  ])("rejects a wrong option: %j", async (args, message) => {
    const folder = await createFolder({});
    const { code, stderr } = await runCli(["init", ...args], { folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(await listFiles(folder)).toEqual([]);
  });

  test("prompts for missing options in a terminal, and again after an invalid value", async () => {
    const folder = await createFolder({});
    const terminal = openTerminal(["init", "--framework", "nuxt", "--currency", "EUR"], folder);
    await terminal.answer("ID of the shop [1001]: ", "x");
    await until(() => terminal.output().includes('found "x", expected a whole number, 1 or more'));
    await terminal.answer("ID of the shop [1001]: ", "42");
    await terminal.answer("Language of the shop [en-GB]: ", "");
    await terminal.answer("Storage (memory, redis) [memory]: ", "redis");
    await terminal.answer("Commerce system (none, vendure) [none]: ", "");
    expect(await terminal.exited).toBe(0);
    expect(terminal.output()).not.toContain("Framework");
    const config = await read(folder, "storefront.config.ts");
    expect(config).toContain('{ shopId: 42, locale: "en-GB", currency: "EUR" }');
    expect(config).toContain('driver: "redis"');
    expect(await listFiles(folder)).toContain("nuxt.config.ts");
  });
});

test("create-storefront-core has the version of storefront-core, and depends on exactly that", async () => {
  const { version } = JSON.parse(await read(root, "package.json"));
  const created = JSON.parse(await read(root, "packages/create/package.json"));
  expect(created).toMatchObject({ version, dependencies: { "storefront-core": version } });
});

// --- Internal helpers ---

function read(folder: string, path: string): Promise<string> {
  return readFile(join(folder, path), "utf8");
}

async function readAll(folder: string, paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map((path) => read(folder, path)))).join("\n");
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith("node_modules"));
}

/** Runs a command in a terminal of its own, which `script` makes. */
function openTerminal(args: readonly string[], folder: string) {
  const command = [process.execPath, join(root, "dist/server/cli/cli.js"), ...args].join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  let answered = 0;
  const exited = once(child, "close").then(([code]) => code as number);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return {
    exited,
    output: () => output,
    /** Waits for a question after the earlier ones, and answers it. */
    async answer(question: string, text: string): Promise<void> {
      await until(() => output.indexOf(question, answered) >= 0);
      answered = output.indexOf(question, answered) + question.length;
      child.stdin.write(`${text}\r`);
    },
  };
}

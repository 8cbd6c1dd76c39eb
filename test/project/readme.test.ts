import { execFile, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { describeWithPeers } from "../_adapters.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { compile, createProject, readBlocks, startServer, writeSnippets } from "../_snippets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** Replaces values that differ from run to run. */
function normalise(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/"addedAt":\d{13}/g, '"addedAt":<time>');
}

describe("the README's commands", async () => {
  const blocks = await readBlocks("README.md");
  const [create, start, , production] = blocks.filter(({ language }) => language === "sh");
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "storefront-readme-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("create a project as docs/init.md does", async () => {
    const [first] = await readBlocks("docs/init.md");
    expect(create?.text).toBe(first?.text);
  });

  test("install the locked versions", async () => {
    expect(start?.text).toBe("npm ci && npm start\n");
    await run("npm", ["ci", "--dry-run", "--ignore-scripts", "--offline"], { cwd: root });
  });

  test("start a server that responds as printed", async () => {
    const curl = spawnSync("curl", ["--version"]).status;
    expect(curl, "needs curl: apt-get install curl").toBe(0);
    const server = await startServer("npm start", { cwd: root, env: { PORT: "0" } });
    try {
      const conversation = blocks.find(({ language }) => language === "console")?.text ?? "";
      const turns = conversation.split(/^\$ /m).filter((turn) => turn !== "");
      expect(turns.length).toBeGreaterThan(3);
      for (const turn of turns) {
        const [command = "", ...answer] = turn.trimEnd().split("\n");
        const local = command.replace("localhost:3000", new URL(server.origin).host);
        const { stdout } = await run("bash", ["-c", local], { cwd: folder });
        expect(normalise(stdout.trimEnd()), command).toBe(normalise(answer.join("\n")));
      }
    } finally {
      await server.stop();
    }
  });

  describeWithRedis("for production", () => {
    const redis = useRedis();
    test("start a server on Redis", async () => {
      const command = production?.text
        .replace("redis://localhost:6379", redis().url)
        .replace("0.0.0.0", "127.0.0.1")
        .replace("3000", "0");
      const server = await startServer(command ?? "", { cwd: root });
      try {
        expect(server.output()).toContain("redis for sessions, baskets, accounts: atomic across");
        expect(server.output()).not.toContain("Warnings");
        expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
        expect((await fetch(`${server.origin}/readyz`)).status).toBe(200);
      } finally {
        await server.stop();
      }
    });
  });
});

describe("the TypeScript in the docs", () => {
  /** Documents whose code other tests compile or run. */
  const others = [
    // Below, with the programs that it is about
    "adapters.md",
    // `npm run test:hosts`, in the examples that it shows
    "mounting.md",
    // `npm run test:site`, as a reader would
    "getting-started.md",
    "tutorial.md",
  ];
  /** `npm run test:openapi` compiles it with generated types. */
  const foreignFiles = ["generated-client.ts"];
  const documents = readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md") && !others.includes(name))
    .map((name) => `docs/${name}`);
  let folder: string;

  beforeAll(async () => {
    const packages = [
      "@tanstack",
      "@types/node",
      "h3",
      "nodemailer",
      "prom-client",
      "unstorage",
      "vue",
      "zod",
    ];
    folder = await createProject(join(root, "node_modules"), packages);
    for (const { language, file, text } of await readBlocks("README.md")) {
      // The example's files have a project of their own.
      if (language !== "ts" || file?.startsWith("examples/")) continue;
      await writeFile(join(folder, file ?? "nameless.ts"), text);
    }
    for (const document of documents) await writeSnippets(document, folder, foreignFiles);
    // The pages name the config of the README.
    const config = 'export { default, methods } from "../storefront.config.ts";';
    await writeFile(join(folder, "docs/storefront.config.ts"), config);
    // The types of Deno come with the program.
    const deno = "declare const Deno: { serve(handler: (request: Request) => unknown): unknown };";
    await writeFile(join(folder, "deno.d.ts"), deno);
    await compile(folder);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("runs: the client calls a custom method", async () => {
    const cli = join(root, "dist/server/cli/cli.js");
    const server = await startServer(`exec node ${cli} start --port 0`, { cwd: folder });
    try {
      const client = await readFile(join(folder, "out/client.js"), "utf8");
      const local = client.replace("http://localhost:3000", server.origin);
      await writeFile(join(folder, "out/client.js"), local);
      const { stdout } = await run("node", [join(folder, "out/client.js")]);
      expect(stdout).toBe("1\n401 not_logged_in\n");
    } finally {
      await server.stop();
    }
  });

  test("runs: the tests with a test storefront", async () => {
    const args = ["--test", "--test-reporter=tap", join(folder, "out/docs/shop.test.js")];
    const { stdout } = await run("node", args);
    expect(stdout).toMatch(/^# pass 2$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  test("runs: the document store on its own", async () => {
    const blocks = await readBlocks("docs/storage.md");
    const index = blocks.findIndex(({ text }) => text.includes("openDocumentStore"));
    const { stdout } = await run("node", [join(folder, `out/docs/storage.md.${index}.js`)]);
    expect(stdout).toBe("1\n");
  });
});

describeWithPeers("the TypeScript of the adapters", () => {
  test("compiles with the types of Vendure and Express", async () => {
    const names = [
      "@vendure",
      "express",
      "express-session",
      "@types/express",
      "@types/express-session",
    ];
    const folder = await createProject(join(root, "test/peers/node_modules"), names);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeSnippets("docs/adapters.md", folder);
    await compile(folder);
  });
});

import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { describeWithPeers } from "../_adapters.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

async function readBlocks(document: string): Promise<Block[]> {
  const text = await readFile(join(root, document), "utf8");
  return [...text.matchAll(/^```(\w*)[ ]?(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", file, code = ""]) => ({ language, file: file || undefined, text: code }),
  );
}

/** Runs a server command, and waits until it prints its URL. */
async function startServer(
  command: string,
  options: { cwd: string; env?: Record<string, string> },
): Promise<{ origin: string; output: () => string; stop: () => Promise<void> }> {
  const server: ChildProcess = spawn("bash", ["-c", command], {
    cwd: options.cwd,
    env: { ...process.env, NODE_ENV: "", ...options.env },
    detached: true,
  });
  let output = "";
  const exited = once(server, "exit");
  const origin = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += String(chunk);
      const found = /listens on (http:\/\/\S+)/.exec(output)?.[1];
      if (found !== undefined && output.includes("\nStorage\n")) resolve(found);
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    void exited.then(() => reject(new Error(`"${command}" ended: ${output}`)));
  });
  return {
    origin,
    output: () => output,
    async stop() {
      // npm, its shell and the server make up a process group of their own.
      process.kill(-(server.pid as number), "SIGTERM");
      await exited;
    },
  };
}

/** Replaces values that differ from run to run. */
function normalise(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/"addedAt":\d{13}/g, '"addedAt":<time>');
}

describe("the README's commands", async () => {
  const blocks = await readBlocks("README.md");
  const [start, , production] = blocks.filter(({ language }) => language === "sh");
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "storefront-readme-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

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

/** An empty project that has this package, and others of a folder of packages. */
async function createProject(packages: string, names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-snippets-"));
  await mkdir(join(folder, "node_modules/@types"), { recursive: true });
  await symlink(root, join(folder, "node_modules/storefront-core"));
  for (const name of names) {
    await symlink(join(packages, name), join(folder, "node_modules", name));
  }
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    target: "ES2023",
    module: "NodeNext",
    strict: true,
    skipLibCheck: true,
    types: [],
    lib: ["ES2023", "DOM"],
    rewriteRelativeImportExtensions: true,
    rootDir: ".",
    outDir: "out",
  };
  const tsconfig = { compilerOptions, include: ["*.ts", "docs/*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  await mkdir(join(folder, "docs"));
  return folder;
}

/** Writes a document's snippets, each to a file of its own. */
async function writeSnippets(document: string, folder: string): Promise<void> {
  for (const [index, { language, text }] of (await readBlocks(document)).entries()) {
    const isModule = /^(?:import|export) /m.test(text);
    const code = isModule ? text : `${text}\nexport {};\n`;
    if (language === "ts") await writeFile(join(folder, `${document}.${index}.ts`), code);
  }
}

async function compile(folder: string): Promise<void> {
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder]);
  expect(String(stdout)).toBe("");
  expect(status).toBe(0);
}

describe("the TypeScript in the docs", () => {
  let folder: string;

  beforeAll(async () => {
    const packages = ["@tanstack", "nodemailer", "unstorage", "vue", "zod"];
    folder = await createProject(join(root, "node_modules"), packages);
    for (const { language, file, text } of await readBlocks("README.md")) {
      // The example's files have a project of their own.
      if (language !== "ts" || file?.startsWith("examples/")) continue;
      await writeFile(join(folder, file ?? "nameless.ts"), text);
    }
    for (const document of [
      "docs/accounts.md",
      "docs/rpc.md",
      "docs/cache.md",
      "docs/client.md",
      "docs/storage.md",
      "docs/runtimes.md",
      "docs/sessions.md",
      "docs/security.md",
    ]) {
      await writeSnippets(document, folder);
    }
    await compile(folder);
  });
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

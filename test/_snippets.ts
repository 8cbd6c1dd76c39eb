import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A block of code in a document, with the file that it names. */
export interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

export async function readBlocks(document: string): Promise<Block[]> {
  const text = await readFile(join(root, document), "utf8");
  return [...text.matchAll(/^```(\w*)[ ]?(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", file, code = ""]) => ({ language, file: file || undefined, text: code }),
  );
}

/** Runs a server command, and waits until it prints its URL. */
export async function startServer(
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

/** An empty project that has this package, and others of a folder of packages. */
export async function createProject(packages: string, names: readonly string[]): Promise<string> {
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
    types: names.includes("@types/node") ? ["node"] : [],
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

/**
 * Writes a document's snippets, each to the file that it names, or to a file of its own.
 *
 * @param except Files of snippets that another test compiles.
 */
export async function writeSnippets(
  document: string,
  folder: string,
  except: readonly string[] = [],
): Promise<void> {
  for (const [index, { language, file, text }] of (await readBlocks(document)).entries()) {
    if (file !== undefined && except.includes(file)) continue;
    const isModule = /^(?:import|export) /m.test(text);
    const code = isModule ? text : `${text}\nexport {};\n`;
    const name = file === undefined ? `${document}.${index}.ts` : join("docs", file);
    if (language === "ts") await writeFile(join(folder, name), code);
  }
}

export async function compile(folder: string): Promise<void> {
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder]);
  expect(String(stdout)).toBe("");
  expect(status).toBe(0);
}

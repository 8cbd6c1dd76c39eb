import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root, startCli } from "../_cli.ts";
import { readBlocks } from "../_snippets.ts";

test("a client generated from the document has the types of payloads and results, and plays the README's conversation", async () => {
  const { origin } = await startCli(["dev"], { folder: root });
  const folder = await createProject();
  const document = `${origin}/de/api/openapi.json`;
  const redocly = { REDOCLY_TELEMETRY: "off" };
  run("openapi-typescript", [document, "--output", "schema.ts"], folder, redocly);
  run("tsc", ["--project", "tsconfig.json"], folder);
  const output = run(process.execPath, ["out/conversation.js", `${origin}/de/api`], folder);
  const steps = [
    [200, "EUR"],
    [200, 7, 2, 1, null],
    [200, "Ada", "added"],
    [200, "Hallo, Ada!"],
    [422, "invalid_input", ["quantity"]],
    [412, "basket_changed"],
    [200, true],
    [204, null],
  ];
  expect(JSON.parse(output)).toEqual(steps.flat());
});

// --- Internal helpers ---

const programs = join(import.meta.dirname, "node_modules");

async function createProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-openapi-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "nodenext",
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    strict: true,
    noUncheckedIndexedAccess: true,
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
    outDir: "out",
  };
  await symlink(programs, join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const config = { compilerOptions, files: ["conversation.ts", "documented.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const source = join(import.meta.dirname, "files/conversation.ts");
  await copyFile(source, join(folder, "conversation.ts"));
  const blocks = await readBlocks("docs/openapi.md");
  const documented = blocks.find((block) => block.file === "generated-client.ts");
  await writeFile(join(folder, "documented.ts"), documented?.text ?? "");
  return folder;
}

function run(program: string, args: readonly string[], cwd: string, env = {}): string {
  const file = program === process.execPath ? program : join(programs, ".bin", program);
  const options = { cwd, encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(file, args, options);
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

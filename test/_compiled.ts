import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Compiles the sources for child processes, which can't run TypeScript. @returns the entry file */
export async function compileStorage(): Promise<string> {
  const root = join(import.meta.dirname, "..");
  const outDir = join(root, "node_modules", ".cache", `storefront-storage-${randomUUID()}`);
  onTestFinished(() => rm(outDir, { recursive: true, force: true }));
  await mkdir(outDir, { recursive: true });
  const imports = { "#drivers": "./storage/drivers.js" };
  await writeFile(join(outDir, "package.json"), JSON.stringify({ type: "module", imports }));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [
    "-p",
    join(root, "tsconfig.build.json"),
    "--declaration",
    "false",
    "--emitDeclarationOnly",
    "false",
  ];
  execFileSync(process.execPath, [tsc, ...args, "--noCheck", "--outDir", outDir]);
  return join(outDir, "storage", "index.js");
}

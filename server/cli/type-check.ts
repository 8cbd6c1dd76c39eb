import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/**
 * Creates a check of the types in the project of a config, by the project's own TypeScript. Each check runs next to the
 * server, and stops the one before. Without a `tsconfig.json` or TypeScript, it does nothing.
 * @param report gets the type errors, each with its code
 */
export function createTypeCheck(file: string, report: (text: string) => void): () => void {
  const folder = findFolder(dirname(file));
  const compiler = folder && findCompiler(folder);
  let current: ChildProcess | undefined;
  if (folder === undefined || compiler === undefined) return () => undefined;
  return () => {
    current?.kill();
    const child = spawn(process.execPath, [compiler, "--noEmit", "--pretty", "-p", folder], {
      cwd: folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    current = child;
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    // If the check can't start, the server continues without it.
    child.on("error", () => undefined);
    child.on("close", (code) => {
      if (child !== current || code === 0 || output.trim() === "") return;
      const text = process.stderr.isTTY ? output : stripVTControlCharacters(output);
      report(`the server runs, but types don't match:\n${text.trimEnd()}`);
    });
  };
}

// --- Internal helpers ---

/** The nearest folder with a `tsconfig.json`, within the project. */
function findFolder(folder: string): string | undefined {
  if (existsSync(join(folder, "tsconfig.json"))) return folder;
  const parent = dirname(folder);
  if (existsSync(join(folder, "package.json")) || parent === folder) return undefined;
  return findFolder(parent);
}

/** The program `tsc` of the project. */
function findCompiler(folder: string): string | undefined {
  try {
    const path = createRequire(join(folder, "tsconfig.json")).resolve("typescript/package.json");
    const { bin } = JSON.parse(readFileSync(path, "utf8")) as { readonly bin: { tsc?: string } };
    return bin.tsc && join(dirname(path), bin.tsc);
  } catch {
    return undefined;
  }
}

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./_cli.ts";

/** Installs the packages of a folder in the repository, unless the last installation had the same lock file. */
export function installLocked(folder: string): void {
  const path = join(root, folder);
  const locked = readFileSync(join(path, "package-lock.json"), "utf8");
  const installed = join(path, "node_modules/.installed-lock.json");
  if (locked === readText(installed)) return;
  process.stderr.write(`Installing ${folder}\n`);
  // No script of the hundreds of packages runs here.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", ["ci", "--prefix", path, ...options], { stdio: "pipe" });
  writeFileSync(installed, locked);
}

// --- Internal helpers ---

/** Empty without the file. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

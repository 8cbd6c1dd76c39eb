import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Installs the commerce systems: the folders with a lock file that differs from the last installation. */
export function setup(): void {
  const entries = readdirSync(here, { withFileTypes: true });
  for (const { name: system } of entries.filter((entry) => entry.isDirectory())) {
    const locked = readText(`${system}/package-lock.json`);
    const installed = `${system}/node_modules/.installed-lock.json`;
    if (locked === readText(installed)) continue;
    process.stderr.write(`Installing test/commerce/${system}\n`);
    // No script of the hundreds of packages runs here.
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["ci", "--prefix", here + system, ...options], { stdio: "pipe" });
    writeFileSync(here + installed, locked);
  }
}

// --- Internal helpers ---

const here = fileURLToPath(new URL(".", import.meta.url));

/** Empty without the file. */
function readText(path: string): string {
  try {
    return readFileSync(here + path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

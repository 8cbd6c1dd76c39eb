import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../_cli.ts";

/**
 * Installs the commerce systems: the folders with a lock file that differs from the last installation. The example gets
 * the package as it is now.
 */
export function setup(): void {
  const entries = readdirSync(import.meta.dirname, { withFileTypes: true });
  const systems = entries.filter((entry) => entry.isDirectory());
  for (const { name } of systems) install(`test/commerce/${name}`);
  install(example);
  unpackInto(join(root, example, "node_modules/storefront-core"));
}

// --- Internal helpers ---

/** It has a Vendure, which the tests of the adapter use, too. */
const example = "examples/vendure-shop";

function install(folder: string): void {
  const path = join(root, folder);
  const locked = readText(join(path, "package-lock.json"));
  const installed = join(path, "node_modules/.installed-lock.json");
  if (locked === readText(installed)) return;
  process.stderr.write(`Installing ${folder}\n`);
  // No script of the hundreds of packages runs here.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", ["ci", "--prefix", path, ...options], { stdio: "pipe" });
  writeFileSync(installed, locked);
}

/** Replaces an installed copy of this package by one of the build. */
function unpackInto(folder: string): void {
  const packed = mkdtempSync(join(tmpdir(), "storefront-pack-"));
  try {
    const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", packed];
    const tarball = execFileSync("npm", args, { cwd: root }).toString().trim();
    for (const old of readdirSync(folder)) {
      if (old !== "node_modules") rmSync(join(folder, old), { recursive: true });
    }
    execFileSync("tar", ["-xzf", join(packed, tarball), "-C", folder, "--strip-components=1"]);
  } finally {
    rmSync(packed, { recursive: true });
  }
}

/** Empty without the file. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

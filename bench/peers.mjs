import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = new URL("peers/", import.meta.url);

/** Loads a package from `peers/`, which an ordinary install doesn't include. */
export const requirePeer = createRequire(new URL("package.json", folder));

/** Installs the programs for comparison, if they are missing or outdated. */
export function installPeers() {
  if (changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json")) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", args, { cwd: fileURLToPath(folder), stdio: "inherit" });
}

// --- Internal helpers ---

function changedAt(file) {
  return statSync(new URL(file, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

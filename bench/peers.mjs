import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = new URL("peers/", import.meta.url);

/** Loads from `peers/`, whose programs are no part of an ordinary install. */
export const requirePeer = createRequire(new URL("package.json", folder));

/** Installs what the project is measured against, unless that is there already. */
export function installPeers() {
  if (changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json")) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", args, { cwd: fileURLToPath(folder), stdio: "inherit" });
}

// --- Internal helpers ---

function changedAt(file) {
  return statSync(new URL(file, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

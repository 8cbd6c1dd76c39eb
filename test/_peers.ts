import { createRequire } from "node:module";

/** Loads from `peers/`, which `npm ci` in the project does not install. */
export const requirePeer = createRequire(new URL("peers/package.json", import.meta.url));

/** Whether the programs for the adapter tests are installed. */
export const peersInstalled = ["@vendure/core", "express", "express-session", "sql.js"].every(
  isInstalled,
);

export const howToInstallPeers = "get them with: npm ci --prefix test/peers";

// --- Internal helpers ---

function isInstalled(name: string): boolean {
  try {
    return requirePeer.resolve(`${name}/package.json`).includes("peers");
  } catch {
    return false;
  }
}

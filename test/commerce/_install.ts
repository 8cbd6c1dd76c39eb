import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../_cli.ts";
import { installLocked } from "../_locked-install.ts";

/** Installs Medusa, and the example with its Vendure and with this package as it is now. */
export function setup(): void {
  installLocked("test/commerce/medusa");
  installLocked(example);
  unpackInto(join(root, example, "node_modules/storefront-core"));
}

// --- Internal helpers ---

/** The tests of the adapter use its Vendure, too. */
const example = "examples/vendure-shop";

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

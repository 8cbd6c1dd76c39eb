import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { installLocked } from "../_locked-install.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The output of the build of the site. */
    readonly buildOutput: string;
  }
}

/** Installs the tools of the site, and builds it. */
export function setup({ provide }: TestProject): void {
  const folder = fileURLToPath(new URL("../../docs", import.meta.url));
  installLocked("docs");
  const build = ["run", "build", "--silent", "--prefix", folder];
  const { status, stdout, stderr } = spawnSync("npm", build, { encoding: "utf8" });
  const output = `${stdout}${stderr}`;
  if (status !== 0) throw new Error(`The site can't be built:\n${output}`);
  provide("buildOutput", output);
}

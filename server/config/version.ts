import { readFileSync } from "node:fs";
import { findPackageFolder } from "./package-folder.ts";

/** The version of this package. */
export function readVersion(): string {
  const text = readFileSync(new URL("package.json", findPackageFolder()), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

import { readFile } from "node:fs/promises";
import { findPackageFolder } from "./package-folder.ts";

/** The version of this package. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL("package.json", findPackageFolder()), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

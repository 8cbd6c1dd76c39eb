import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** The version of this package. */
export async function readVersion(): Promise<string> {
  // The compiled module is one folder deeper than its source.
  const urls = ["../../package.json", "../../../package.json"].map((path) => {
    return new URL(path, import.meta.url);
  });
  const text = await readFile(urls.find(existsSync) as URL, "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

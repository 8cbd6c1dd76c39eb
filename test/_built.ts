import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { root } from "./_cli.ts";

/**
 * The sources that a file of the build contains, by its source map.
 * @param file a path or a URL
 * @returns their paths in the repository; the file's own path if it has no source map
 */
export function listSources(file: string): readonly string[] {
  const url = file.startsWith("file:") ? file : pathToFileURL(file).href;
  try {
    const { sources } = JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")) as {
      readonly sources: readonly string[];
    };
    return sources.map((source) => relative(root, fileURLToPath(new URL(source, url))));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [relative(root, fileURLToPath(url))];
  }
}

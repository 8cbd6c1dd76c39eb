import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import type { RepositoryFile } from "./links.ts";

/** The folder into which typedoc writes the API reference. */
const folder = "docs/.vitepress/api";
const root = fileURLToPath(new URL("../..", import.meta.url));

/** The pages of the API reference; none before typedoc has run. */
export function listApiPages(): readonly RepositoryFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path));
}

export function isApiPage(file: RepositoryFile): boolean {
  return file.startsWith(`${folder}/`);
}

/** The path of a page on the site: by the public entry that users import, instead of its source. */
export function toApiPath(file: RepositoryFile): string {
  const { name, rest } = split(file);
  return join("api", name.replace(/^storefront-core\//, ""), rest);
}

/** Names the public entry in the heading of a page, and in the list of all entries. */
export function nameEntries(text: string, file: RepositoryFile): string {
  const { name, rest } = split(file);
  if (name === "") {
    const named = text.replaceAll(/^- \[([^\]]+)\]/gm, (_, source: string) => {
      return `- [${entries.get(source) ?? source}]`;
    });
    return named.replace(/^# .*/, "# API reference");
  }
  if (rest === "README.md") return text.replace(/^# .*/, `# ${name}`);
  return text.replace(/^# (?:\w+(?: \w+)?: )?(.*)/, `# $1 of ${name}`);
}

// --- Internal helpers ---

/** The public entries, by the names that typedoc has for their sources. */
const entries = readEntries();
const sources = [...entries.keys()].toSorted((a, b) => b.length - a.length);

function readEntries(): ReadonlyMap<string, string> {
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const { exports } = JSON.parse(manifest) as { readonly exports: Record<string, string> };
  return new Map(
    Object.entries(exports).flatMap(([path, target]) => {
      const name = join("storefront-core", path);
      const source = target.replace(/^\.\/dist\/(.*?)(?:\/index)?\.js$/, "$1");
      return [
        [source, name],
        [name, name],
      ];
    }),
  );
}

/** The public entry of a page, empty for the list of entries, and the path below it. */
function split(file: RepositoryFile): { readonly name: string; readonly rest: string } {
  const path = file.slice(folder.length + 1);
  const source = sources.find((each) => path.startsWith(`${each}/`));
  if (source === undefined) return { name: "", rest: path };
  return { name: entries.get(source) as string, rest: path.slice(source.length + 1) };
}

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const documents = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ...list("docs"),
  ...list("examples"),
];

describe.each(documents)("%s", (document) => {
  test("links only to files and headings that exist", async () => {
    const text = await readProse(document);
    const links = [...text.matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken: string[] = [];
    for (const link of links) {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      const isBroken =
        !existsSync(join(root, file)) ||
        (anchor !== undefined && !(await readAnchors(file)).has(anchor));
      if (isBroken) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  test("names only source files that exist", async () => {
    const text = await readProse(document);
    const folders = "server|rpc|storage|adapters|shared|test|bench|docs|examples";
    const names = text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+\\.(?:ts|mjs|md))\``, "g"));
    const missing = [...names].filter(([, name = ""]) => !existsSync(join(root, name)));
    expect(missing.map(([, name]) => name)).toEqual([]);
  });
});

/** Lists the documents of a folder: its own, or the README of each folder in it. */
function list(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .map((name) => (name.endsWith(".md") ? join(folder, name) : join(folder, name, "README.md")))
    .filter((file) => existsSync(join(root, file)));
}

/** Reads a document without its code blocks. */
async function readProse(document: string): Promise<string> {
  const text = await readFile(join(root, document), "utf8");
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Collects the anchors that GitHub makes of a document's headings. */
async function readAnchors(document: string): Promise<ReadonlySet<string>> {
  const headings = (await readProse(document)).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

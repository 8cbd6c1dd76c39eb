import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseAst } from "vitest/node";
import { rootFolder } from "./server.mjs";

/**
 * Reads the TypeScript files of folders, including their subfolders. A missing folder counts as empty.
 * @returns one entry per file: path, lines as `wc -l` counts them, declarations, and imports
 */
export function readSources(folders) {
  return folders
    .filter((folder) => existsSync(join(rootFolder, folder)))
    .flatMap((folder) =>
      readdirSync(join(rootFolder, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name))
        .map((entry) => posix.relative(rootFolder, join(entry.parentPath, entry.name))),
    )
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
    .toSorted()
    .map(readSource);
}

/**
 * Finds the groups of files that import each other in a circle.
 * @param withTypes also follows `import type`, which is gone at run time
 */
export function findCycles(sources, { withTypes }) {
  const targets = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter(({ isType }) => withTypes || !isType).map(({ target }) => target),
    ]),
  );
  const reachable = new Map(sources.map(({ path }) => [path, findReachable(path, targets)]));
  const groups = sources.map(({ path }) =>
    [...reachable.get(path)]
      .filter((other) => reachable.get(other)?.has(path))
      .toSorted()
      .join(", "),
  );
  return [...new Set(groups)].filter((group) => group !== "");
}

// --- Internal helpers ---

function readSource(path) {
  const text = readFileSync(join(rootFolder, path), "utf8");
  const nodes = listNodes(parseAst(text, { lang: "ts" }));
  const countOf = (...types) => nodes.filter(({ type }) => types.includes(type)).length;
  return {
    path,
    lines: text.split("\n").length - 1,
    types: countOf("TSInterfaceDeclaration", "TSTypeAliasDeclaration"),
    classes: countOf("ClassDeclaration", "ClassExpression"),
    imports: nodes
      .filter((node) => typeof node.source?.value === "string" && node.source.value.startsWith("."))
      .map((node) => ({
        target: posix.join(posix.dirname(path), node.source.value),
        isType: (node.importKind ?? node.exportKind) === "type" || node.type === "TSImportType",
      })),
  };
}

function listNodes(node, nodes = []) {
  if (typeof node?.type === "string") nodes.push(node);
  for (const child of Object.values(node)) {
    if (typeof child === "object" && child !== null) listNodes(child, nodes);
  }
  return nodes;
}

function findReachable(path, targets) {
  const found = new Set();
  const open = [path];
  while (open.length > 0) {
    for (const target of targets.get(open.pop()) ?? []) {
      if (found.has(target)) continue;
      found.add(target);
      open.push(target);
    }
  }
  return found;
}

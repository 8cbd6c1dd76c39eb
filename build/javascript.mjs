// Writes the JavaScript of dist/: one file per entry of package.json, and chunks that the entries share. Node spends half a
// millisecond on each module that it loads, so a start with a file per source takes twice as long.
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const { bin, dependencies, exports, imports, peerDependencies, sideEffects } = readPackage(root);

// The client is one file without imports, so that a page or a worker can load it without a bundler.
const client = exports["./client"];
const entries = listFiles([bin, exports, imports]).filter((file) => existsSync(toSource(file)));
// A start needs a fraction of zod, without its messages in 50 languages, and of cockatiel. The other packages stay outside.
const packages = Object.keys({ ...dependencies, ...peerDependencies }).filter(
  (name) => name !== "zod" && name !== "cockatiel",
);
const effects = new Set(sideEffects.map(toSource));

const licenses = new Map();
const others = entries.filter((file) => file !== client);
await write(others, {
  external: isExternal,
  plugins: [{ name: "entries", resolveId: findEntry, generateBundle: writePaths }],
});
await write([client], {});
await writeFile(`${root}dist/LICENSES.md`, describeLicenses());

// --- Internal helpers ---

function readPackage(folder) {
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
}

/** The files that a part of package.json names. */
function listFiles(value) {
  if (typeof value === "string") return [value];
  return [...new Set(Object.values(value).flatMap(listFiles))];
}

function toSource(file) {
  return file.replace("./dist/", root).replace(/js$/, "ts");
}

function isExternal(id) {
  // The conditions of an import such as #drivers hold in the bundle of a user.
  if (/^(?:#|node:)/.test(id)) return true;
  return packages.some((name) => id === name || id.startsWith(`${name}/`));
}

/** A module imports the file of another entry, so that each of its classes is there once, and its effects happen. */
function findEntry(id, importer) {
  if (importer === undefined || !id.startsWith(".")) return null;
  const source = resolve(dirname(importer), id);
  const file = entries.find((entry) => toSource(entry) === source);
  return file === undefined ? null : { id: `entry:${file}`, external: true };
}

/** Replaces the names of these entries with paths: rolldown knows the path of a chunk at the end only. */
function writePaths(_, bundle) {
  for (const chunk of Object.values(bundle).filter(({ type }) => type === "chunk")) {
    const folder = dirname(`./dist/${chunk.fileName}`);
    chunk.code = chunk.code.replaceAll(/"entry:(.+?)"/g, (__, file) => {
      const path = relative(folder, file);
      return JSON.stringify(path.startsWith(".") ? path : `./${path}`);
    });
  }
}

async function write(files, options) {
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      files.map((file) => [file.slice("./dist/".length, -3), toSource(file)]),
    ),
    platform: "neutral",
    resolve: { mainFields: ["module", "main"] },
    transform: { target: "es2022" },
    treeshake: { moduleSideEffects: (id) => effects.has(id) },
    onLog(level, log) {
      if (level === "warn") throw new Error(log.message);
    },
    ...options,
  });
  const { output } = await bundle.write({
    dir: `${root}dist`,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    // Stack traces name the sources with node --enable-source-maps. The sources themselves stay in the repository.
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  await bundle.close();
  for (const { moduleIds = [] } of output) {
    for (const id of moduleIds) {
      const [folder, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id) ?? [];
      if (name !== undefined) licenses.set(name, folder);
    }
  }
}

/** The licenses of the packages whose code is in dist/. */
function describeLicenses() {
  const texts = [...licenses].toSorted().map(([name, folder]) => {
    const text = readFileSync(`${folder}/LICENSE`, "utf8").trim();
    return `\n## ${name} ${readPackage(folder).version}\n\n${text}\n`;
  });
  return `# Licenses of the packages whose code is in these files\n${texts.join("")}`;
}

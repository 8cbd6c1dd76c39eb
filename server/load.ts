import { existsSync, readFileSync, statSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { loadConfig, SUPPORTED_EXTENSIONS, type LoadConfigOptions } from "c12";

/** A config as it was read, not checked yet. */
export interface LoadedConfig {
  readonly config: unknown;
  /** The file it stands in, with its whole path. */
  readonly file: string;
}

/**
 * Reads `storefront.config.ts` (or `.js`, `.mjs`, `.json` …) of a folder, or the file that is named.
 * Variables of a `.env` file beside it come into the environment, where they are not set already.
 * @throws Error with one line for an operator where there is no such file, or it does not run
 */
export async function loadStorefrontConfig(cwd: string, file?: string): Promise<LoadedConfig> {
  const path = findConfigFile(cwd, file);
  let config: unknown;
  async function readConfig(_: string, { jiti }: LoadConfigOptions) {
    if (extname(path) === ".json") {
      config = JSON.parse(await readFile(path, "utf8"));
    } else if (isCode(path)) {
      config = await evaluate(jiti as Jiti, path);
    } else {
      return undefined;
    }
    return { config: {}, cwd: dirname(path), configFile: path };
  }
  try {
    const loaded = await loadConfig({
      name: "storefront",
      cwd: dirname(path),
      configFile: path,
      // A `$` in a secret is a `$`.
      dotenv: { cwd: dirname(path), interpolate: false },
      // What is compiled may hold a secret, so it is not left behind in a folder for all.
      jitiOptions: { fsCache: false },
      resolve: readConfig,
      rcFile: false,
      globalRc: false,
      packageJson: false,
      envName: false,
      extend: false,
      giget: false,
    });
    // c12's own copy is of use for formats only that hold no drivers.
    return {
      config: isCode(path) || extname(path) === ".json" ? config : loaded.config,
      file: path,
    };
  } catch (error) {
    throw toReadableError(error, path);
  }
}

/**
 * Calls back when the config's file, a TypeScript module that it imports by a relative path, or the
 * `.env` file beside it has changed. What else it imports, Node reads once.
 * @returns a function that ends it
 */
export function watchStorefrontConfig(file: string, onChange: () => void): () => void {
  const sources = new Set<string>();
  const watchers = new Map<string, { close(): void }>();
  let timer: NodeJS.Timeout | undefined;

  function watchSources(): void {
    for (const source of [file, ...findImports(file), join(dirname(file), ".env")]) {
      const folder = dirname(source);
      sources.add(source);
      // The folder, not the file: editors put a new file in the place of the old one.
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (_, name) => {
        if (name !== null && sources.has(join(folder, name))) announce();
      });
      watchers.set(
        folder,
        watcher.on("error", () => watcher.close()),
      );
    }
  }

  function announce(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      watchSources();
      onChange();
    }, quietMilliseconds);
  }

  watchSources();
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

// --- Internal helpers ---

type Jiti = NonNullable<LoadConfigOptions["jiti"]>;

/** A file is often written in several steps. */
const quietMilliseconds = 100;

function findConfigFile(cwd: string, file: string | undefined): string {
  if (file !== undefined) {
    const path = resolve(cwd, file);
    if (!isFile(path)) throw new Error(`there is no file ${path}`);
    return path;
  }
  const names = [".ts", ...SUPPORTED_EXTENSIONS].map(
    (extension) => `storefront.config${extension}`,
  );
  const path = names.map((name) => join(cwd, name)).find(isFile);
  if (path === undefined) throw new Error(`there is no storefront.config.ts in ${cwd}`);
  return path;
}

/** Runs a module, also where it has been run before. */
async function evaluate(jiti: Jiti, path: string): Promise<unknown> {
  const source = await readFile(path, "utf8");
  const options = { id: path, filename: path, ext: extname(path), async: true };
  const module = (await jiti.evalModule(source, { ...options, forceTranspile: true })) as object;
  if ("__esModule" in module && !("default" in module)) {
    throw new Error("it has no default export, which should be the config");
  }
  const config = (module as { readonly default?: unknown }).default;
  return typeof config === "function" ? config() : config;
}

/** The TypeScript modules that a module imports by relative paths, and those that these import. */
function findImports(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (!isCode(file) || !existsSync(file)) return known;
  const text = readFileSync(file, "utf8");
  for (const [, specifier = ""] of text.matchAll(/["'](\.{1,2}\/[^"'\n]+)["']/g)) {
    const base = resolve(dirname(file), specifier);
    const candidates = [
      base,
      base.replace(/\.([cm]?)js$/, ".$1ts"),
      `${base}.ts`,
      `${base}/index.ts`,
    ];
    const found = candidates.find((path) => /\.[cm]?ts$/.test(path) && isFile(path));
    if (found === undefined || known.has(found)) continue;
    known.add(found);
    findImports(found, known);
  }
  return known;
}

function isCode(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Without a stack, and without what stands in the file. */
function toReadableError(error: unknown, path: string): Error {
  const message = (error instanceof Error ? error.message : String(error))
    .replace(/\nRequire stack:\n- (.+)[^]*/, (_, importer) => {
      return importer === path ? "" : `, imported by ${importer}`;
    })
    .replace(/, (?:\.{3})?".*is not valid JSON/s, ": it is not valid JSON")
    .replace(/\s+(\S+):(\d+):(\d+)\s*$/, (_, place, line, column) => {
      return `${place === path ? "" : ` in ${place}`}, line ${line}, column ${column}`;
    });
  return new Error(`${path}: ${message.trim()}`, { cause: error });
}

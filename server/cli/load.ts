import { existsSync, readFileSync, statSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isPlainFormat, parsePlainConfig, plainExtensions } from "../config/config-formats.ts";
import { messageOf } from "../../shared/log.ts";

/** A config as it was read, not checked yet. */
export interface LoadedConfig {
  readonly config: unknown;
  /** The file it stands in, with its whole path. */
  readonly file: string;
}

/**
 * Reads `storefront.config.ts` (or `.js`, `.mjs`, `.json` …) of a folder, or the file that is named.
 * Variables of a `.env` file beside it come into the environment, where they are not set already.
 * @param isReadAgain whether it is read more than once: what Node runs by itself, it runs once only
 * @throws Error with one line for an operator where there is no such file, or it does not run
 */
export async function loadStorefrontConfig(
  cwd: string,
  file: string | undefined,
  { isReadAgain }: { isReadAgain: boolean },
): Promise<LoadedConfig> {
  const path = findConfigFile(cwd, file);
  try {
    await readEnvironment(join(dirname(path), ".env"));
    const extension = extname(path);
    if (isPlainFormat(extension)) {
      const text = await readFile(path, "utf8");
      return { config: await parsePlainConfig(text, extension), file: path };
    }
    const config = (isReadAgain ? undefined : await importConfig(path)) ?? (await evaluate(path));
    return { config: typeof config === "function" ? await config() : config, file: path };
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

/** A file is often written in several steps. */
const quietMilliseconds = 100;

function findConfigFile(cwd: string, file: string | undefined): string {
  if (file !== undefined) {
    const path = resolve(cwd, file);
    if (!isFile(path)) throw new Error(`there is no file ${path}`);
    return path;
  }
  const extensions = [".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ...plainExtensions()];
  const paths = extensions.map((extension) => join(cwd, `storefront.config${extension}`));
  const path = paths.find(isFile);
  if (path === undefined) throw new Error(`there is no storefront.config.ts in ${cwd}`);
  return path;
}

/** The variables that came from a `.env` file: where it has changed, they change. */
const fileVariables = new Set<string>();

async function readEnvironment(path: string): Promise<void> {
  if (!isFile(path)) return;
  const { parse } = await import("dotenv");
  for (const [name, value] of Object.entries(parse(await readFile(path)))) {
    if (name in process.env && !fileVariables.has(name)) continue;
    process.env[name] = value;
    fileVariables.add(name);
  }
}

/**
 * What a module exports by default, as Node runs it, in a fraction of the time that `evaluate` takes.
 * @returns `undefined` where Node cannot, as with TypeScript before Node 22.18, or makes something else of it
 */
async function importConfig(path: string): Promise<unknown> {
  try {
    const { default: config } = (await import(pathToFileURL(path).href)) as ConfigModule;
    // Of a module that was compiled to CommonJS, Node makes one with a default export inside of this one.
    return "__esModule" in Object(config) ? (config as ConfigModule).default : config;
  } catch {
    return undefined;
  }
}

/** The same as jiti runs it: in any JavaScript or TypeScript, also where it has been run before. */
async function evaluate(path: string): Promise<unknown> {
  // By `import`, Node first searches all of it for the names it exports: a twentieth of the start.
  const { createJiti } = createRequire(import.meta.url)("jiti") as typeof import("jiti");
  // What is compiled may hold a secret, so it is not left behind in a folder for all.
  const jiti = createJiti(path, { fsCache: false, moduleCache: false });
  const source = await readFile(path, "utf8");
  const options = { id: path, filename: path, ext: extname(path), async: true };
  const module = (await jiti.evalModule(source, { ...options, forceTranspile: true })) as object;
  if ("__esModule" in module && !("default" in module)) {
    throw new Error("it has no default export, which should be the config");
  }
  return (module as ConfigModule).default;
}

interface ConfigModule {
  readonly default?: unknown;
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
  const message = messageOf(error)
    .replace(/\nRequire stack:\n- (.+)[^]*/, (_, importer) => {
      return importer === path ? "" : `, imported by ${importer}`;
    })
    .replace(/\s+(\S+):(\d+):(\d+)\s*$/, (_, place, line, column) => {
      return `${place === path ? "" : ` in ${place}`}, line ${line}, column ${column}`;
    });
  return new Error(`${path}: ${message.trim()}`, { cause: error });
}

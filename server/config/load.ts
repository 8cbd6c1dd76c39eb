import { existsSync, readFileSync, statSync, watch, type FSWatcher } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock, type Clock, type Timer } from "../../storage/clock.ts";
import { messageOf, type Logger } from "../../shared/log.ts";
import { describeLine } from "./error-line.ts";
import { waitForStep } from "./slow-step.ts";
import { StartError } from "./start-error.ts";
import { parsePlainConfig, plainFormats } from "./plain-formats.ts";

/**
 * Reads `storefront.config.ts` (or `.js`, `.mjs`, `.json` …) in a folder, or the given file. Adds the variables of a
 * `.env` file next to it to the environment, unless they are set already.
 * @param options `isReadAgain`: whether the config will be read again, because Node runs a module only once. `log` gets a
 * warning while the config awaits something.
 * @returns the config, not checked yet, and the absolute path of its file
 * @throws StartError with one line for an operator if there is no such file, or if the config fails
 */
export async function loadStorefrontConfig(
  cwd: string,
  file: string | undefined,
  { isReadAgain = false, log = console, clock = systemClock }: LoadOptions = {},
): Promise<{ readonly config: unknown; readonly file: string }> {
  const path = findConfigFile(cwd, file);
  const step = "a promise that the config, or a module that it imports, awaits (SF902)";
  const config = await waitForStep(step, log, readConfig(path, isReadAgain), clock);
  return { config, file: path };
}

interface LoadOptions {
  readonly isReadAgain?: boolean;
  readonly log?: Pick<Logger, "warn">;
  readonly clock?: Clock;
}

/** Whether {@link loadStorefrontConfig} finds a config in a folder. */
export function hasConfig(folder: string): boolean {
  return findInFolder(folder) !== undefined;
}

/**
 * Calls back after a change of the config's file, of `.env` next to it, or of a TypeScript module that it imports by a
 * relative path. Node reads other imports only once.
 * @param onChange gets the paths of the changed files, relative to the folder of the config
 * @returns a function that stops watching
 */
export function watchStorefrontConfig(
  file: string,
  onChange: (changed: readonly string[]) => void,
): () => void {
  const changed = new Set<string>();
  const sources = new Set<string>();
  const watchers = new Map<string, FSWatcher>();
  let timer: Timer | undefined;

  function watchSources(): void {
    for (const source of [file, ...findImports(file), join(dirname(file), ".env")]) {
      const folder = dirname(source);
      sources.add(source);
      // Watch the folder: an editor replaces a file instead of changing it.
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (_, name) => {
        if (name !== null && sources.has(join(folder, name))) reportChange(join(folder, name));
      });
      watchers.set(
        folder,
        watcher.on("error", () => watcher.close()),
      );
    }
  }

  function reportChange(path: string): void {
    changed.add(relative(dirname(file), path));
    timer?.cancel();
    timer = systemClock.setTimeout(() => {
      watchSources();
      onChange([...changed].toSorted());
      changed.clear();
    }, quietMilliseconds);
  }

  watchSources();
  return () => {
    timer?.cancel();
    for (const watcher of watchers.values()) watcher.close();
  };
}

// --- Internal helpers ---

/** Editors often write a file in several steps. */
const quietMilliseconds = 100;

function findConfigFile(cwd: string, file: string | undefined): string {
  if (file !== undefined) {
    const path = resolve(cwd, file);
    if (!isFile(path)) throw new StartError("SF901", `No file ${path}. Check --config`);
    return path;
  }
  const path = findInFolder(cwd);
  if (path === undefined) {
    const fix = "Create storefront.config.ts, or pass --config <file>";
    throw new StartError("SF901", `No config file in ${cwd}. ${fix}`);
  }
  return path;
}

function findInFolder(folder: string): string | undefined {
  const extensions = [".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ...Object.keys(plainFormats)];
  const paths = extensions.map((extension) => join(folder, `storefront.config${extension}`));
  return paths.find(isFile);
}

/** Runs the config, or reads it. @throws StartError */
async function readConfig(path: string, isReadAgain: boolean): Promise<unknown> {
  try {
    await readEnvironment(join(dirname(path), ".env"));
    const format = plainFormats[extname(path)];
    if (format !== undefined) {
      const text = await readFile(path, "utf8");
      return await parsePlainConfig(text, format);
    }
    const config = (isReadAgain ? undefined : await importConfig(path)) ?? (await evaluate(path));
    return typeof config === "function" ? await config() : config;
  } catch (error) {
    throw toReadableError(error, path);
  }
}

/** The variables from a `.env` file. They change with the file. */
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
 * Imports the config with Node, in a fraction of the time that `evaluate` takes.
 * @returns the default export; `undefined` if Node can't run the module (TypeScript before Node 22.18)
 */
async function importConfig(path: string): Promise<unknown> {
  try {
    const config = defaultOf(await import(pathToFileURL(path).href));
    // A module that was compiled to CommonJS has its default export inside Node's default export.
    return "__esModule" in Object(config) ? defaultOf(config) : config;
  } catch {
    return undefined;
  }
}

/** Runs the config with jiti: any JavaScript or TypeScript, and again after a change. */
async function evaluate(path: string): Promise<unknown> {
  // `import` would search the code of jiti for its export names, which takes a twentieth of the start.
  const { createJiti } = createRequire(import.meta.url)("jiti") as typeof import("jiti");
  // The compiled config can contain a secret, so it must not stay in a shared folder.
  const jiti = createJiti(path, { fsCache: false, moduleCache: false });
  const source = await readFile(path, "utf8");
  const options = { id: path, filename: path, ext: extname(path), async: true };
  const module = (await jiti.evalModule(source, { ...options, forceTranspile: true })) as object;
  if ("__esModule" in module && !("default" in module)) {
    throw new Error(
      "no default export. Expected the config, for example: export default defineStorefrontConfig({ … })",
    );
  }
  return defaultOf(module);
}

function defaultOf(module: unknown): unknown {
  return (module as { readonly default?: unknown }).default;
}

/** Finds the TypeScript modules that a module imports by relative paths, and their imports. */
function findImports(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (!/\.[cm]?[jt]s$/.test(file) || !existsSync(file)) return known;
  const text = readFileSync(file, "utf8");
  for (const [, specifier = ""] of text.matchAll(/["'](\.{1,2}\/[^"'\n]+)["']/g)) {
    const base = resolve(dirname(file), specifier);
    const source = base.replace(/\.([cm]?)js$/, ".$1ts");
    const candidates = [base, source, `${base}.ts`, `${base}/index.ts`];
    const found = candidates.find((path) => /\.[cm]?ts$/.test(path) && isFile(path));
    if (found === undefined || known.has(found)) continue;
    known.add(found);
    findImports(found, known);
  }
  return known;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Creates an error without a stack, and without text from the file. */
function toReadableError(error: unknown, path: string): StartError {
  const message = messageOf(error)
    .replace(/\nRequire stack:\n- (.+)[^]*/, (_, importer) => {
      return importer === path ? "" : `, imported by ${importer}`;
    })
    .replace(/\s+(\S+):(\d+):(\d+)\s*$/, (_, source, line, column) => {
      return `${source === path ? "" : ` in ${source}`}, line ${line}, column ${column}`;
    });
  const isLocated = /, line \d+, column \d+$|^Cannot find /.test(message);
  const line = isLocated ? "" : describeLine(error, path);
  return new StartError("SF902", `${path}: ${message.trim()}${line}`, { cause: error });
}

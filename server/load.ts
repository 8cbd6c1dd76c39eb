import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { loadConfig, watchConfig, type LoadConfigOptions } from "c12";
import type { StorefrontConfig } from "./config.ts";

/** A config as it was read, not checked yet. */
export interface LoadedConfig {
  readonly config: StorefrontConfig;
  /** The file it stands in. */
  readonly file: string;
}

/**
 * Reads `storefront.config.ts` (or `.js`, `.mjs`, `.json` …) of a folder, or the file that is named.
 * Variables of a `.env` file beside it come into the environment, where they are not set already.
 * @throws Error with one line for an operator where there is no such file, or it does not run
 */
export async function loadStorefrontConfig(cwd: string, file?: string): Promise<LoadedConfig> {
  const options = toOptions(cwd, file);
  try {
    const { config, _configFile } = await loadConfig<StorefrontConfig>(options);
    if (_configFile === undefined) throw new Error(`there is no storefront.config.ts in ${cwd}`);
    return { config, file: _configFile };
  } catch (error) {
    throw toReadableError(error, file ?? "storefront.config");
  }
}

/** Calls back whenever the config's file has changed. @returns a function that ends it */
export async function watchStorefrontConfig(
  cwd: string,
  file: string,
  onChange: () => void,
): Promise<() => Promise<void>> {
  const watcher = await watchConfig<StorefrontConfig>({
    ...toOptions(cwd, file),
    onWatch: onChange,
    // What changed is read, and its faults are told, by whoever is called back.
    resolve: () => ({ config: {} as StorefrontConfig, cwd, configFile: file }),
  });
  return () => watcher.unwatch();
}

// --- Internal helpers ---

function toOptions(cwd: string, file: string | undefined): LoadConfigOptions<StorefrontConfig> {
  const path = file === undefined ? undefined : resolve(cwd, file);
  if (path !== undefined && !existsSync(path)) throw new Error(`there is no file ${path}`);
  return {
    name: "storefront",
    cwd,
    ...(path !== undefined && { configFile: path }),
    dotenv: true,
    rcFile: false,
    globalRc: false,
    packageJson: false,
    envName: false,
    extend: false,
    giget: false,
    // Merging would copy the config, and drivers with it.
    merger: (...configs) =>
      configs.find((config) => config !== undefined && config !== null) as never,
  };
}

function toReadableError(error: unknown, file: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${file}: ${message.trim()}`, { cause: error });
}

/**
 * For development servers that serve a storefront next to their pages.
 * @module storefront-core/dev
 */
import { messageOf } from "../shared/log.ts";
import { openDevelopmentData, type DevelopmentData } from "./config/development-data.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "./config/load.ts";
import type { StorefrontConfig } from "./config/config.ts";
import { createLog } from "./console-log.ts";
import { openStorefront } from "./storefront.ts";
import type { Storefront } from "./storefront-app.ts";

/** A storefront that follows the changes of its config. */
export interface DevStorefront {
  /** The storefront of the latest config without errors. Read it again for each request. */
  readonly current: Storefront;
  /** Stops watching the config, and closes the storefront. */
  close(): Promise<void>;
}

/**
 * Opens the storefront of a config file, and opens it again after each change, as `storefront dev` does. Data of the
 * memory driver survives in files. If a changed config has errors, it logs them, and the old one stays in effect.
 * @param folder contains `storefront.config.ts`, or another format of it
 * @param file another name of the config, relative to the folder
 * @throws ConfigError; Error with one line if there is no config, or if it fails
 */
export async function openDevStorefront(folder: string, file?: string): Promise<DevStorefront> {
  let data: DevelopmentData | undefined;
  const load = async () => {
    const loaded = await loadStorefrontConfig(folder, file, { isReadAgain: true });
    data ??= openDevelopmentData(loaded.file, { log: createLog() });
    const settings = { production: false, developmentData: data, checksResults: true };
    const { app } = openStorefront(loaded.config as StorefrontConfig, settings);
    return { path: loaded.file, storefront: app };
  };
  const { path, storefront } = await load();
  let current = storefront;
  /** Runs the reloads and the end one after the other. */
  let last = Promise.resolve();

  async function reload(changed: readonly string[]): Promise<void> {
    const { log } = current.options;
    try {
      const previous = current;
      current = (await load()).storefront;
      log.info(`reloaded: ${changed.join(", ")}`);
      await previous.close();
    } catch (error) {
      log.error(`The storefront keeps its old config: ${messageOf(error)}`);
    }
  }

  const unwatch = watchStorefrontConfig(path, (changed) => {
    last = last.then(() => reload(changed));
  });
  return {
    get current() {
      return current;
    },
    async close() {
      unwatch();
      await last;
      await current.close();
    },
  };
}

/** A storefront in Nuxt 4: the public entry `storefront-core/nuxt`, a Nuxt module. */

import { isAbsolute, join } from "node:path";
import {
  addImports,
  addPluginTemplate,
  addServerHandler,
  addServerPlugin,
  addTemplate,
  addTypeTemplate,
  defineNuxtModule,
  findPath,
} from "nuxt/kit";
import type { NuxtModule } from "nuxt/schema";

/** Options of the module: the key `storefront` in `nuxt.config.ts`. */
export interface StorefrontModuleOptions {
  /** The config's file, relative to the root of the app. Default: `storefront.config.ts`, `.mjs`, or `.js` there. */
  readonly config?: string;
}

/**
 * Serves the storefront of the app's config in Nuxt's server, on the same origin as the pages, and auto-imports
 * `useRpc`, typed by the config. During rendering, `useRpc()` calls methods in this process; in the browser, by HTTP.
 * @throws Error if there is no config
 */
const module: NuxtModule<StorefrontModuleOptions> = defineNuxtModule<StorefrontModuleOptions>({
  meta: { name: "storefront-core", configKey: "storefront", compatibility: { nuxt: ">=4.0.0" } },
  async setup({ config = "storefront.config" }, nuxt) {
    const { options } = nuxt;
    const { rootDir } = options;
    const file = await findPath(join(rootDir, config));
    if (file === null) {
      throw new Error(
        `storefront-core: no file ${join(rootDir, config)}${config === "storefront.config" ? ".ts" : ""}. Create it, or name another file in nuxt.config.ts: storefront: { config: "…" }`,
      );
    }
    // Nuxt bundles the packages of modules, and Nuxt 4.5 then gives them its own h3, which is h3 1.
    nuxt.hook("modules:done", () => {
      const { build } = options;
      build.transpile = build.transpile.filter(
        (entry) => !/storefront-core\/?$/.test(String(entry)),
      );
    });
    // Otherwise, the development server leaves the config to Node.js, and can't reload it.
    options.nitro.externals ??= {};
    options.nitro.externals.inline ??= [];
    options.nitro.externals.inline.push((id) => isAbsolute(id) && !id.includes("/node_modules/"));
    const mount = write("mount.mjs", mountOf(file, options.dev ? rootDir : undefined));
    addServerPlugin(write("plugin.mjs", pluginOf(mount)));
    addServerHandler({ middleware: true, handler: write("handler.mjs", handlerOf(mount)) });
    addPluginTemplate({
      filename: "storefront-core/page.server.mjs",
      mode: "server",
      getContents: () => pagePlugin,
    });
    addImports({ name: "useRpc", from: write("use-rpc.ts", useRpcOf(file)) });
    addTypeTemplate(
      { filename: "types/storefront-core.d.ts", getContents: () => eventTypes },
      { nuxt: true, nitro: true },
    );
  },
});

export default module;

// --- Internal helpers ---

/** Writes a module of the app's build. @returns its path */
function write(name: string, text: string): string {
  const filename = `storefront-core/${name}`;
  return addTemplate({ filename, write: true, getContents: () => text }).dst;
}

/** @param project the folder of the app, if this is its development server */
function mountOf(file: string, project: string | undefined): string {
  return `import { readRawBody } from "h3";
import { mountInNitro } from "storefront-core/nuxt/server";
import config from ${JSON.stringify(file)};

export const mount = mountInNitro(config, {
  isDevelopment: import.meta.dev === true,
  developmentFolder: ${JSON.stringify(project)},
  isPrerendering: import.meta.prerender === true,
  readBody: readRawBody,
});
`;
}

function pluginOf(mount: string): string {
  return `import { mount } from ${JSON.stringify(mount)};

export default mount.plugin;
`;
}

function handlerOf(mount: string): string {
  return `import { defineEventHandler } from "h3";
import { mount } from ${JSON.stringify(mount)};

export default defineEventHandler(mount.handler);
`;
}

const pagePlugin = `import { defineNuxtPlugin, navigateTo, useRequestEvent } from "#imports";
import { preparePage } from "storefront-core/nuxt/app";

export default defineNuxtPlugin({
  name: "storefront-core",
  enforce: "pre",
  setup(nuxtApp) {
    preparePage(nuxtApp, useRequestEvent(nuxtApp), (path) => navigateTo(path, { redirectCode: 307 }));
  },
});
`;

function useRpcOf(file: string): string {
  return `import { useNuxtApp, useRequestEvent, useRuntimeConfig } from "#imports";
import { findBrowserRpc, findPageRpc, type MethodsOf, type RpcClient, type UseRpcOptions } from "storefront-core/nuxt/app";
import type config from ${JSON.stringify(file.replace(/\.ts$/, ""))};

/** The methods of the storefront: the built-in ones, and those of the config. */
export type StorefrontMethods = MethodsOf<typeof config>;

/**
 * The methods of the storefront. While the server renders a page, a call is a function call in the same process, as the
 * visitor of the page. In the browser, it is an HTTP request.
 */
export function useRpc(options: UseRpcOptions = {}): RpcClient<StorefrontMethods> {
  return import.meta.server
    ? findPageRpc(useRequestEvent(), options)
    : findBrowserRpc(useNuxtApp(), useRuntimeConfig().app.baseURL, options);
}
`;
}

const eventTypes = `import type { NitroStorefront } from "storefront-core/nuxt/server";

declare module "h3" {
  interface H3EventContext {
    storefront: NitroStorefront;
  }
}

export {};
`;

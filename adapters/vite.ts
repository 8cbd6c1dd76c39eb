/** A storefront in Vite's development server: the public entry `storefront-core/vite`. */

import { assertOptions } from "../shared/similar.ts";
import type { Plugin, PreviewServer, ViteDevServer } from "vite";
import { openDevStorefront } from "../server/dev.ts";
import { toNodeHandler } from "./node.ts";

/** Options of {@link storefront}. */
export interface StorefrontPluginOptions {
  /** The config's file, relative to Vite's root. Default: `storefront.config.ts`, `.js`, `.json` … there. */
  readonly config?: string;
}

/**
 * Serves the storefront of a config by `vite` and `vite preview`, on the origin of the pages, so they need no CORS. In
 * production, run `storefront start` or {@link https://h3.dev | a server of your own}.
 */
export function storefront(options: StorefrontPluginOptions = {}): Plugin {
  assertOptions("storefront", options, { config: true });
  const { config } = options;
  async function serve(server: ViteDevServer | PreviewServer): Promise<void> {
    const dev = await openDevStorefront(server.config.root, config);
    server.httpServer?.once("close", () => void dev.close());
    server.middlewares.use((request, response, next) => {
      void toNodeHandler(dev.current)(request, response, next);
    });
  }
  return {
    name: "storefront-core",
    apply: "serve",
    configureServer: serve,
    configurePreviewServer: serve,
  };
}

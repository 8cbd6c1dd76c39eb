/** The storefront in Fastify: the public entry `storefront-core/fastify`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { isStorefrontPath, type Storefront } from "../server/index.ts";
import { toNodeHandler } from "./node.ts";

/**
 * Creates a Fastify plugin for a storefront: `app.register(toFastifyPlugin(storefront))`, with or without a `prefix`.
 * Its routes are those of the storefront only, and Fastify doesn't read their bodies.
 */
export function toFastifyPlugin(storefront: Storefront): FastifyPlugin {
  const handle = toNodeHandler(storefront);
  const { basePath, log } = storefront.options;
  const has = (path: string) => isStorefrontPath(storefront, path);
  return async (scope) => {
    const segments = scope.prefix.split("/").filter(Boolean);
    const prefix = segments.map((segment) => `/${segment}`).join("");
    // A URL can spell the prefix in another way: with a value for `/:tenant`, or as `/l%C3%A4den`.
    const start = new RegExp(`^(?:/+[^/?]+){${segments.length}}`);
    if (prefix !== "" && `${basePath}/rpc/`.startsWith(`${prefix}/`)) {
      log.warn(
        `The path of calls already begins with the prefix ${JSON.stringify(prefix)} of the Fastify plugin, so calls are at ${JSON.stringify(`${prefix}${basePath}/rpc/<method>`)}. Register the plugin without the prefix: see docs/mounting.md`,
      );
    }
    // Fastify would read each body, and the storefront couldn't read it again.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    const folders = [`${basePath}/rpc`, `/:shop${basePath}/rpc`, `${basePath}/admin`];
    const paths = [...folders, ...folders.map((path) => `${path}/*`), "/healthz", "/readyz"];
    if (has(`${basePath}/openapi.json`)) {
      paths.push(`${basePath}/openapi.json`, `/:shop${basePath}/openapi.json`);
    }
    if (has("/_storefront")) paths.push("/_storefront", "/_storefront/*");
    if (has("/metrics")) paths.push("/metrics");
    for (const path of paths) {
      scope.all(path, ({ raw }, reply) => {
        reply.hijack();
        if (prefix !== "") {
          // The URL that the browser sent. Express has it, too.
          (raw as { originalUrl?: string | undefined }).originalUrl ??= raw.url;
          raw.url = raw.url?.replace(start, "");
        }
        void handle(raw, reply.raw);
      });
    }
  };
}

/** The type of the plugin; Fastify's own types accept it. */
export type FastifyPlugin = (scope: FastifyScope) => Promise<void>;

/** The parts of a Fastify instance that the plugin uses. */
export interface FastifyScope {
  readonly prefix: string;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown;
  all(
    path: string,
    handler: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): unknown },
    ) => void,
  ): unknown;
}

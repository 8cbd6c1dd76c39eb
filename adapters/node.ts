/** The storefront in servers that are based on node:http: the public entry `storefront-core/node`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler as toHandler } from "srvx/node";
import { isStorefrontPath, type Storefront } from "../server/index.ts";

/** A request listener of node:http, and a middleware of Express, Connect, and h3 1. */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => unknown;

/**
 * Creates a request listener for a storefront, and a middleware for Express: `app.use("/shop",
 * toNodeHandler(storefront))`. It passes on other paths, and uses a body that a parser before it has read.
 * @param source a storefront; or a function that renders your own pages from a web `Request`
 */
export function toNodeHandler(
  source: Storefront | ((request: Request) => Response | Promise<Response>),
): NodeHandler {
  if (typeof source === "function") return toHandler(source) as NodeHandler;
  const handle = toHandler((request) => source.fetch(request));
  return (request, response, next) => {
    if (next !== undefined && !isForStorefront(source, request)) return next();
    return handle(request as never, response as never);
  };
}

// --- Internal helpers ---

/** Also if Express has removed a part of its path: the storefront's response then names that mistake. */
function isForStorefront(storefront: Storefront, request: IncomingMessage): boolean {
  const { url = "/", originalUrl = url } = request as {
    readonly url?: string;
    readonly originalUrl?: string;
  };
  if (isStorefrontPath(storefront, url)) return true;
  return originalUrl !== url && isStorefrontPath(storefront, originalUrl);
}

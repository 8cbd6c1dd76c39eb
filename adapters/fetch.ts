/** The storefront in servers that are based on fetch: the public entry `storefront-core/fetch`. */

import type { Storefront } from "../server/index.ts";

/** A handler of Bun, Deno, and Hono. `host` is the second argument of the server, which knows the client's address. */
export type FetchHandler = (request: Request, host?: unknown) => Promise<Response>;

/**
 * Creates a fetch handler for a storefront, for Bun, Deno, and Hono: `Deno.serve(toFetchHandler(storefront))`. It finds
 * the client's address in the second argument of these servers. For others, set `clientAddress` in the config.
 * @param source a storefront; or a function that renders your own pages from a web `Request`
 */
export function toFetchHandler(
  source: Storefront | ((request: Request) => Response | Promise<Response>),
): FetchHandler {
  return async (request, host) => {
    const address = "ip" in request ? undefined : findAddress(request, host);
    if (address !== undefined) Object.defineProperty(request, "ip", { value: address });
    return typeof source === "function" ? source(request) : source.fetch(request);
  };
}

// --- Internal helpers ---

/** The second argument of a handler: each server has another. */
interface Host {
  /** Bun. */
  requestIP?(request: Request): { readonly address?: unknown } | null;
  /** Bun with Hono. */
  readonly server?: Host;
  /** Deno. */
  readonly remoteAddr?: { readonly hostname?: unknown };
  /** Node.js with Hono. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
}

function findAddress(request: Request, host: unknown): string | undefined {
  if (typeof host !== "object" || host === null) return undefined;
  const { server, remoteAddr, incoming } = host as Host;
  const bun = [host as Host, server].find((each) => typeof each?.requestIP === "function");
  const address =
    bun?.requestIP?.(request)?.address ?? remoteAddr?.hostname ?? incoming?.socket?.remoteAddress;
  return typeof address === "string" ? address : undefined;
}

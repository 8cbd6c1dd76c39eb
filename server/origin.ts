import type { H3Event } from "h3";
import { RpcError } from "../rpc/error.ts";

/**
 * Refuses calls that a page of another origin makes a browser send (CSRF), before anything runs.
 * Clients that are no browsers send neither header.
 * @throws RpcError `foreign_origin`
 */
export function assertOrigin(event: H3Event): void {
  const { headers, method } = event.req;
  const origin = headers.get("origin");
  if (origin !== null && !isSameHost(origin, event.url.host)) throw new RpcError("foreign_origin");
  // A navigation to a cacheable GET may come from anywhere; it carries no session.
  const isCrossSite = headers.get("sec-fetch-site") === "cross-site";
  if (origin === null && isCrossSite && method === "POST") throw new RpcError("foreign_origin");
}

// --- Internal helpers ---

/** Schemes are not compared: behind a proxy that ends TLS ours is another than the browser's. */
function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

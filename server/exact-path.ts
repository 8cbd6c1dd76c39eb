import type { ServerRequest } from "srvx";

/**
 * Whether a request's path equals a route as text, so that each route has one URL. h3 decodes paths and ignores a
 * slash at their end, so a request could bypass a rule in front of the storefront (a proxy's, a firewall's).
 * @param route the route's path without the path of an outer app, for example `/api/rpc/login`
 * @param mounted the route's path with the path of an outer app, for example `/core/api/rpc/login`
 */
export function isExactPath(request: ServerRequest, route: string, mounted: string): boolean {
  const path = pathOf(request.url);
  if (!path.endsWith(route)) return false;
  const base = path.slice(0, -route.length);
  if (base.split("/").length !== mounted.slice(0, -route.length).split("/").length) return false;
  const target = request.runtime?.node?.req.url;
  if (target === undefined) return true;
  // A framework can remove its own part from the URL, but not from the target.
  const raw = pathOf(target);
  return raw === path || (raw.endsWith(route) && !unplain.test(raw.slice(0, -route.length)));
}

// --- Internal helpers ---

/** Characters that a URL parser, or a server in front, changes into another path. */
const unplain = /\\|\/\/|%(?:2e|2f|5c)|\/\.{1,2}(?:\/|$)/i;

/** The path of a URL, or of a request's target, which has no fragment to end it (RFC 9112, 3.2). */
function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, "").replace(/\?.*$/s, "");
}

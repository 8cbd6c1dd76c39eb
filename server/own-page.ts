import type { RequestEvent } from "./request.ts";
import { portOf } from "./shop-hosts.ts";

/**
 * Parses the origin of a web page, as browsers write it (RFC 6454, 6.2). An app in a web view has its own scheme,
 * and a page without an origin sends `null`.
 */
export function parseOrigin(origin: string): URL | undefined {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return undefined;
  const page = new URL(origin);
  return page.origin === origin ? page : undefined;
}

/**
 * Whether a page of this storefront sent a call. `Sec-Fetch-Site: same-origin` proves it, even if a proxy rewrote
 * `Host`. Browsers send it to HTTPS and localhost only; else the origin must be the request's own, or `publicOrigin`.
 * @param isAtHost whether the config names the page's host: the page is the storefront's own then, whatever `Host` a
 * proxy sends
 */
export function isOwnPage(
  event: RequestEvent,
  page: URL,
  isAtHost: boolean,
  publicOrigin: string | undefined,
): boolean {
  const site = event.headers.get("sec-fetch-site");
  if (site !== null && site !== "none") return site === "same-origin";
  return page.origin === publicOrigin || isAt(page, event.url, isAtHost);
}

// --- Internal helpers ---

/**
 * If the call came by HTTPS, a page that came by HTTP is not ours: anyone on the network may have written it. The
 * reverse proves nothing, because an untrusted proxy may have terminated TLS.
 */
function isAt(page: URL, own: URL, isAtHost: boolean): boolean {
  if (own.protocol === "https:" && page.protocol !== "https:") return false;
  if (isAtHost) return true;
  if (page.hostname !== own.hostname) return false;
  return page.port === own.port || portOf(page) === own.port;
}

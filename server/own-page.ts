import type { RequestEvent } from "./request.ts";
import { portOf } from "./shop-hosts.ts";

/** The kind of page that sent a call, by the headers. */
export type PageVerdict =
  /** A page of the storefront, and of the shop if that has hosts. */
  | "own"
  /** A page of the storefront, at none of the shop's hosts. */
  | "of_another_shop"
  | "other";

/**
 * Classifies the page at `origin`. `Sec-Fetch-Site: same-origin` proves that no other page sent the call, even if a
 * proxy rewrote `Host`. Browsers send that header to HTTPS and localhost only; elsewhere, the origin must be the
 * request's own, or `publicOrigin`.
 * @param isOfShop whether the page is at a host of the shop: `same-origin` chooses no shop, and no proxy rewrites `Origin`
 * @param hasHosts whether the config names the shop's hosts; pages there are the shop's own, whatever `Host` a proxy sends
 */
export function judgePage(
  event: RequestEvent,
  origin: string,
  isOfShop: (page: URL) => boolean,
  hasHosts: boolean,
  publicOrigin: string | undefined,
): PageVerdict {
  const page = parseOrigin(origin);
  if (page === undefined) return "other";
  const isOwn = isOfShop(page);
  if (!isOfServer(event, page, isOwn && hasHosts, publicOrigin)) return "other";
  return isOwn ? "own" : "of_another_shop";
}

// --- Internal helpers ---

/**
 * Parses the origin of a web page, as browsers write it (RFC 6454, 6.2). An app in a web view has its own scheme,
 * and a page without an origin sends `null`.
 */
function parseOrigin(origin: string): URL | undefined {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return undefined;
  const page = new URL(origin);
  return page.origin === origin ? page : undefined;
}

function isOfServer(
  event: RequestEvent,
  page: URL,
  isAtHost: boolean,
  publicOrigin: string | undefined,
): boolean {
  const site = event.headers.get("sec-fetch-site");
  if (site !== null && site !== "none") return site === "same-origin";
  return page.origin === publicOrigin || isAt(page, event.url, isAtHost);
}

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

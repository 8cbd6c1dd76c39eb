import { devPagePath, metricsPath } from "./own-paths.ts";
import type { StorefrontOptions } from "./config/options.ts";

/** The path of a URL, or of a request's target, which has no fragment to end it (RFC 9112, 3.2). */
export function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, "").replace(/\?.*$/s, "");
}

/** Whether a path can be decoded. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a URL is one of a storefront: a call, an admin call, a health check; or the OpenAPI document, the metrics, or
 * the development page, if the server has them. A server around the storefront handles all others.
 * @param url a whole URL, or a path with or without a query
 */
export function isStorefrontPath(
  {
    options: { basePath, openApi = false, telemetry = [], adminTokens = [], devPage },
  }: {
    readonly options: Pick<StorefrontOptions, "basePath"> &
      Partial<Pick<StorefrontOptions, "openApi" | "telemetry" | "adminTokens" | "devPage">>;
  },
  url: string,
): boolean {
  // A whole URL can have a fragment, which the target of a request cannot.
  const path = pathOf(url.replace(/#.*$/s, ""));
  if (path === "/healthz" || path === "/readyz") return true;
  if (path === metricsPath && adminTokens.length > 0) {
    return telemetry.some(({ metrics }) => metrics !== undefined);
  }
  const isDevPage = devPage !== undefined && devPage.off === undefined;
  if (isDevPage && `${path}/`.startsWith(`${devPagePath}/`)) return true;
  const withoutShop = path.slice(path.indexOf("/", 1));
  return [path, withoutShop].some((rest) => {
    if (!rest.startsWith(basePath)) return false;
    const below = rest.slice(basePath.length);
    return /^\/(?:rpc|admin)(?:\/|$)/.test(below) || (openApi && below === "/openapi.json");
  });
}

/**
 * The path and query of a page as Next.js names them, without its `basePath`: `redirect` adds that, and the rest begins
 * with the path of a shop, if it has one.
 * @param request of the proxy; only Next.js has `nextUrl`
 */
export function pagePathOf(request: Request): string {
  const { url, nextUrl = new URL(url) } = request as Request & { readonly nextUrl?: URL };
  const { pathname, search } = nextUrl;
  return pathname + search;
}

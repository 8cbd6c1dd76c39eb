import { devPagePath } from "../own-paths.ts";
import type { StorefrontOptions } from "../config/options.ts";
import type { RequestEvent } from "../request.ts";
import { createAccess } from "./access.ts";

/**
 * Creates the function that redirects `/` to the development page, for a server that has no page of its own at `/`.
 * @returns `undefined` for another path, and for a request that the page would reject
 */
export function createHome(
  options: StorefrontOptions,
): (event: RequestEvent) => Response | undefined {
  if (options.devPage.off !== undefined) return () => undefined;
  const access = createAccess(options);
  return (event) => {
    if (!event.isRead || new URL(event.req.url).pathname !== "/") return undefined;
    try {
      access.assertLocal(event);
    } catch {
      return undefined;
    }
    const headers = { location: devPagePath, "cache-control": "no-store" };
    return new Response(null, { status: 302, statusText: "Found", headers });
  };
}

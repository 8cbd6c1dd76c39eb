/** The request headers that calls have. */
const callHeaders: readonly string[] = [
  "authorization",
  "content-type",
  "idempotency-key",
  "x-shop-id",
];

/** The name of a header (RFC 9110, 5.1). */
export const fieldName = /^[!#$%&'*+.^_`|~\w-]+$/;

/** The most characters of a preflight's own wishes that are granted. */
const maxRequested = 1024;

/**
 * Decides which headers calls of a page may have: those of every call, and of each shop its list, or without one
 * what the page asks for.
 * @param requested the header `Access-Control-Request-Headers`
 * @param lists `cors.allowedHeaders` of each shop that allows the page's origin
 */
export function toAllowedHeaders(
  requested: string | null,
  lists: readonly (readonly string[] | undefined)[],
): string {
  const names = lists.flatMap((list) => list ?? toNames(requested ?? ""));
  return [...new Set([...callHeaders, ...names.map((name) => name.toLowerCase())])].join(", ");
}

// --- Internal helpers ---

/** As many as fit; `*` is no name, but stands for all where no cookies travel. */
function toNames(requested: string): readonly string[] {
  const names: string[] = [];
  let size = 0;
  for (const part of requested.split(",")) {
    const name = part.trim();
    if (name === "*" || !fieldName.test(name) || ofProxies.test(name)) continue;
    size += name.length + 2;
    if (size > maxRequested) break;
    names.push(name);
  }
  return names;
}

/** A proxy may pass these on, and with `trustProxy` they say who calls and whose host was called. */
const ofProxies = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/i;

import { fieldName } from "./config/keys/cors-keys.ts";

/** The most characters of requested header names that a preflight allows. */
const maxRequested = 1024;

/**
 * Decides which headers a page's calls can have: those of every call, and each shop's list. A shop without a list
 * allows the headers that the page requests.
 * @param requested the header `Access-Control-Request-Headers`
 * @param lists `cors.allowedHeaders` of each shop that allows the page's origin
 * @param credentials the headers in which the page sends its session credential
 */
export function toAllowedHeaders(
  requested: string | null,
  lists: readonly (readonly string[] | undefined)[],
  credentials: readonly string[],
): string {
  const names = lists.flatMap((list) => list ?? toNames(requested ?? ""));
  const allowed = [...callHeaders, ...credentials, ...names.map((name) => name.toLowerCase())];
  return [...new Set(allowed)].join(", ");
}

// --- Internal helpers ---

/** The request headers of calls. A gateway in front of the server can require `Authorization`. */
const callHeaders: readonly string[] = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "x-shop-id",
];

/** The names that fit. `*` isn't a name: without cookies, it would allow all headers. */
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

/** A proxy can forward these, and with `trustProxy` they change the client's IP address and the host. */
const ofProxies = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/i;

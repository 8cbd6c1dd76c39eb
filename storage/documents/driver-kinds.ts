import type { Driver } from "unstorage";

/** Whether a driver returns stale data: another process, or another region, sees a write later. */
export function isStaleDriver(name: string): boolean {
  return stale.has(name);
}

/** Whether a driver can drop a document that has not expired. */
export function isForgetfulDriver(name: string): boolean {
  return forgetful.has(name);
}

/** The names of the drivers that hold a storage's documents: for an overlay, also those of its layers. */
export function layersOf(name: string, options: Readonly<Record<string, unknown>>): string[] {
  return [name, ...overlaidIn(name, options).map((layer) => String(layer.name))];
}

/** The driver objects that an overlay is made of; none for any other driver. */
export function overlaidIn(name: string, options: Readonly<Record<string, unknown>>): Driver[] {
  return name === "overlay" && Array.isArray(options["layers"]) ? options["layers"] : [];
}

/** Whether a driver needs bytes, because it would read text as escaped bytes, as db0 on PostgreSQL does. */
export function takesBytes({ name, options }: Driver): boolean {
  const { database } = (options ?? {}) as { readonly database?: { readonly dialect?: unknown } };
  return name === "db0" && database?.dialect === "postgresql";
}

// --- Internal helpers ---

/** Eventually consistent, or cached, according to their documentation. */
const stale: ReadonlySet<string> = new Set([
  "cloudflare-kv-binding",
  "cloudflare-kv-http",
  "github",
  "netlify-blobs",
  "uploadthing",
  "vercel-blob",
  "vercel-runtime-cache",
]);

/** They keep nothing, evict the least recently used documents, or lose documents at a deployment. */
const forgetful: ReadonlySet<string> = new Set(["lru-cache", "null", "vercel-runtime-cache"]);

import type { Driver } from "unstorage";

/** A driver by its unstorage name with its options, or a driver object. */
export type StorageConfig =
  | Driver
  | ({ readonly driver: string } & Readonly<Record<string, unknown>>);

/** Whether a storage is given as a driver object. */
export function isDriver(config: StorageConfig): config is Driver {
  return typeof config.getItem === "function";
}

/** Whether a driver stores each document in a file with the key's name. */
export function isFileDriver({ name }: Driver): boolean {
  return name === "fs" || name === "fs-lite";
}

/** Loads the module of a driver, and creates the driver. */
export type DriverLoader = (options: Readonly<Record<string, unknown>>) => Promise<Driver>;

/** Whether a driver of files replaces whole files, so that a failed write leaves the file unchanged. */
export function writesWholeFiles(driver: Driver): boolean {
  return wholeDrivers.has(driver);
}

/** Marks a driver for {@link writesWholeFiles}. */
export function markWholeFiles(driver: Driver): void {
  wholeDrivers.add(driver);
}

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

/** Whether a driver stores documents in Cloudflare KV, which removes them after a time to live. */
export function isCloudflareKv({ name = "" }: Driver): boolean {
  return name.startsWith("cloudflare-kv-");
}

/**
 * Whether a driver takes any HTTP response for a value, also the page of a proxy. Other drivers have a protocol or a client
 * that rejects such a response.
 */
export function readsOverHttp({ name = "", options }: Driver): boolean {
  return layersOf(name, (options ?? {}) as Record<string, unknown>).some((layer) =>
    overHttp.has(layer),
  );
}

/** Whether a driver needs bytes, because it would read text as escaped bytes, as db0 on PostgreSQL does. */
export function takesBytes({ name, options }: Driver): boolean {
  const { database } = (options ?? {}) as { readonly database?: { readonly dialect?: unknown } };
  return name === "db0" && database?.dialect === "postgresql";
}

// --- Internal helpers ---

const wholeDrivers = new WeakSet<Driver>();

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

const overHttp: ReadonlySet<string> = new Set(["cloudflare-kv-http", "http", "s3", "vercel-blob"]);

/** They keep nothing, evict the least recently used documents, or lose documents at a deployment. */
const forgetful: ReadonlySet<string> = new Set(["lru-cache", "null", "vercel-runtime-cache"]);

import { isDeepStrictEqual } from "node:util";
import { describeFound } from "./config-error.ts";
import type { Environment } from "./environment.ts";
import type { Report } from "./findings.ts";
import { readRedisPlace } from "./redis-place.ts";
import type { Subject } from "./rule.ts";
import { isLocalHost } from "./site.ts";
import { findStorages, type StoragePlace } from "./storage-places.ts";

/** The storages keep what they are given, for all processes that ask them. */
export function storageRule({ settings, environment }: Subject, report: Report): void {
  const places = findStorages(settings).filter(({ driver }) => driver !== undefined);
  for (const [index, place] of places.entries()) {
    checkDriver(place, environment, report);
    if (place.driver === "redis") checkRedis(place, report);
    const isTwin = (other: StoragePlace) => isSamePlace(other, place);
    if (places.slice(0, index).some(isTwin)) report("SF509", place.path, "the same options again");
  }
}

// --- Internal helpers ---

/** They may keep nothing, or drop what was used least, or what a deployment leaves behind. */
const forgetful = new Set(["lru-cache", "null", "vercel-runtime-cache"]);

/** What one place writes, others see later, by the documents of their makers. */
const late = new Set([
  "cloudflare-kv-binding",
  "cloudflare-kv-http",
  "github",
  "netlify-blobs",
  "uploadthing",
  "vercel-blob",
  "vercel-runtime-cache",
]);

/** Used twice, they are either two storages, or one that needs no locks of ours. */
const ownPlaces = new Set(["lru-cache", "memory", "null", "redis"]);

function checkDriver(
  { path, driver, options }: StoragePlace,
  { isOneOfSeveral = false }: Environment,
  report: Report,
): void {
  const name = driver as string;
  const found = describeFound(name, "driver");
  if (name === "memory") report("SF501", path, found);
  if (forgetful.has(name)) report("SF504", path, found);
  if (late.has(name)) report("SF506", path, found);
  if (name !== "redis" && isOneOfSeveral) report("SF502", path, found);
  else if (name !== "redis" && name !== "memory") report("SF503", path, found);
  if (options["ttl"] !== undefined) {
    report("SF505", `${path}.ttl`, describeFound(options["ttl"], "ttl"));
  }
}

function checkRedis({ path, options }: StoragePlace, report: Report): void {
  const { hosts, hasTls, hasPassword } = readRedisPlace(options);
  if (hosts.every(isLocalHost)) return;
  if (!hasTls) report("SF507", path, "no TLS");
  if (!hasPassword) report("SF508", path, "no password");
}

function isSamePlace(one: StoragePlace, other: StoragePlace): boolean {
  if (one.driver !== other.driver || ownPlaces.has(one.driver as string)) return false;
  // A driver object without options may be anything.
  const isKnown = [one, other].every(({ config, options }) => {
    return config.getItem === undefined || Object.keys(options).length > 0;
  });
  return isKnown && isDeepStrictEqual(one.options, other.options);
}

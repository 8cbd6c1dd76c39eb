import { isDeepStrictEqual } from "node:util";
import { describeFound } from "../config-error.ts";
import { isClusterAtomic } from "../../../storage/adapters.ts";
import {
  isForgetfulDriver,
  isStaleDriver,
  layersOf,
  overlaidIn,
} from "../../../storage/documents/driver-kinds.ts";
import { isFileDriver, isDriver } from "../../../storage/documents/driver.ts";
import { writesWholeFiles } from "../../../storage/documents/file-driver.ts";
import type { ServerSettings } from "../config-settings.ts";
import type { Environment } from "../environment.ts";
import type { Report } from "../diagnostics.ts";
import { readRedisPlace } from "../redis-url.ts";
import { placeOf, type Subject } from "./rule.ts";
import { isLocalHost } from "../registrable-domain.ts";
import { describeStorage, findStorages, type StoragePlace } from "../configured-storages.ts";

/** The storages keep what they are given, for all processes that ask them. */
export function storageRule({ settings, environment }: Subject, report: Report): void {
  const { singleProcess, lossy } = settings.server.storage;
  const accepted = { singleProcess: singleProcess.value, lossy: lossy.value };
  const places = findStorages(settings).filter(({ driver }) => driver !== undefined);
  for (const [index, place] of places.entries()) {
    checkDriver(place, environment, report);
    checkAtomicity(place, accepted, report);
    if (place.driver === "redis") checkRedis(place, report);
    const isTwin = (other: StoragePlace) => isSamePlace(other, place);
    if (places.slice(0, index).some(isTwin)) report("SF509", place.path, "the same options again");
  }
  // In development, accounts can be in the storage of the sessions, with any driver.
  const { isWritten } = settings.server.storage.account;
  if (environment.production || isWritten) checkAccounts(settings.server, report);
}

// --- Internal helpers ---

/** Used twice, they are either two storages, or one that needs no locks of ours. */
const ownPlaces = new Set(["lru-cache", "memory", "null"]);

function checkDriver(
  { path, driver, options, config }: StoragePlace,
  { isOneOfSeveral = false }: Environment,
  report: Report,
): void {
  const name = driver as string;
  const found = describeFound(name, "driver");
  if (name === "memory") report("SF501", path, found);
  if (layersOf(name, options).some(isForgetfulDriver)) report("SF504", path, found);
  if (layersOf(name, options).some(isStaleDriver)) report("SF506", path, found);
  if (!isClusterAtomic(config) && isOneOfSeveral) report("SF502", path, found);
  if (options["ttl"] !== undefined) {
    report("SF505", `${path}.ttl`, describeFound(options["ttl"], "ttl"));
  }
}

/** A storage that isn't atomic across processes needs an option in the config that accepts this. */
function checkAtomicity(
  { path, driver, options, config }: StoragePlace,
  accepted: { readonly singleProcess: boolean; readonly lossy: boolean },
  report: Report,
): void {
  const found = describeFound(driver, "driver");
  const layers = overlaidIn(driver as string, options);
  const objects = isDriver(config) ? [config, ...layers] : layers;
  if (objects.some((object) => isFileDriver(object) && !writesWholeFiles(object))) {
    report("SF514", path, `${found} as an object`);
  }
  if (isClusterAtomic(config)) return;
  if (layersOf(driver as string, options).some(isStaleDriver)) {
    if (!accepted.lossy) report("SF511", path, found);
  } else {
    report(accepted.singleProcess ? "SF503" : "SF510", path, found);
  }
}

/** The embedded accounts need a driver that keeps documents. */
function checkAccounts({ server, storage }: ServerSettings, report: Report): void {
  if (server.auth.value !== undefined) return;
  const { driver, options } = describeStorage(storage.account.value, "storage.account");
  const path = placeOf(storage.account, "storage.account");
  if (driver === undefined) return;
  const names = layersOf(driver, options);
  const found = describeFound(driver, "driver");
  if (names.some((name) => isForgetfulDriver(name) || isStaleDriver(name))) {
    report("SF512", path, found);
  } else if (names.includes("memory")) {
    report("SF513", path, found);
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
  if (isClusterAtomic(one.config)) return false;
  // A driver object without options may be anything.
  const isKnown = [one, other].every(({ config, options }) => {
    return config.getItem === undefined || Object.keys(options).length > 0;
  });
  return isKnown && isDeepStrictEqual(one.options, other.options);
}

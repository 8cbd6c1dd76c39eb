import { isDeepStrictEqual } from "node:util";
import { describeValue } from "../describe-value.ts";
import { findSupport, isClusterAtomic } from "../../../storage/adapters.ts";
import {
  isForgetfulDriver,
  isStaleDriver,
  layersOf,
  overlaidIn,
} from "../../../storage/documents/driver-kinds.ts";
import { isFileDriver, isDriver } from "../../../storage/documents/driver.ts";
import { writesWholeFiles } from "../../../storage/documents/file-driver.ts";
import type { SourcedConfig } from "../merge-config.ts";
import type { Environment } from "../environment.ts";
import type { Report } from "../diagnostics.ts";
import type { RuleContext } from "./rule.ts";
import { isLocalHost } from "../hosts.ts";
import { describeStorage, findStorages, type ConfiguredStorage } from "../configured-storages.ts";

/** The storages lose no document, and every process that uses them sees the same documents. */
export function storageRule({ config, environment }: RuleContext, report: Report): void {
  const { singleProcess, lossy } = config.storage;
  const accepted = { singleProcess: singleProcess.value, lossy: lossy.value };
  const storages = findStorages(config).filter(({ driver }) => driver !== undefined);
  for (const [index, storage] of storages.entries()) {
    checkDriver(storage, environment, report);
    checkAtomicity(storage, accepted, report);
    checkConnection(storage, report);
    const isTwin = (other: ConfiguredStorage) => isSameStorage(other, storage);
    if (storages.slice(0, index).some(isTwin))
      report("SF509", storage.path, "the same options again");
  }
  // In development, accounts can use the default storage, with any driver.
  const { isSet } = config.storage.account;
  if (environment.production || isSet) checkAccounts(config, report);
}

// --- Internal helpers ---

/** Drivers that have separate data, even with the same options. */
const independent = new Set(["lru-cache", "memory", "null"]);

function checkDriver(
  { path, driver, options, config }: ConfiguredStorage,
  { isOneOfSeveral = false }: Environment,
  report: Report,
): void {
  const name = driver as string;
  const found = describeValue(name, "driver");
  if (name === "memory") report("SF501", path, found);
  if (layersOf(name, options).some(isForgetfulDriver)) report("SF504", path, found);
  if (layersOf(name, options).some(isStaleDriver)) report("SF506", path, found);
  if (!isClusterAtomic(config) && isOneOfSeveral) report("SF502", path, found);
  if (options["ttl"] !== undefined) {
    report("SF505", `${path}.ttl`, describeValue(options["ttl"], "ttl"));
  }
}

/** If a storage isn't atomic across processes, a key of the config must accept that. */
function checkAtomicity(
  { path, driver, options, config }: ConfiguredStorage,
  accepted: { readonly singleProcess: boolean; readonly lossy: boolean },
  report: Report,
): void {
  const found = describeValue(driver, "driver");
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
function checkAccounts({ top, storage }: SourcedConfig, report: Report): void {
  if (top.auth.value !== undefined) return;
  const { path, driver, options } = describeStorage(storage.account);
  if (driver === undefined) return;
  const names = layersOf(driver, options);
  const found = describeValue(driver, "driver");
  if (names.some((name) => isForgetfulDriver(name) || isStaleDriver(name))) {
    report("SF512", path, found);
  } else if (names.includes("memory")) {
    report("SF513", path, found);
  }
}

function checkConnection({ path, driver, options }: ConfiguredStorage, report: Report): void {
  const connection = findSupport(driver)?.readConnection(options);
  if (connection === undefined || connection.hosts.every(isLocalHost)) return;
  const { hasTls, hasPassword } = connection;
  if (!hasTls) report("SF507", path, "no TLS");
  if (!hasPassword) report("SF508", path, "no password");
}

function isSameStorage(one: ConfiguredStorage, other: ConfiguredStorage): boolean {
  if (one.driver !== other.driver || independent.has(one.driver as string)) return false;
  if (isClusterAtomic(one.config)) return false;
  // Driver objects without options can use different data.
  const isKnown = [one, other].every(({ config, options }) => {
    return config.getItem === undefined || Object.keys(options).length > 0;
  });
  return isKnown && isDeepStrictEqual(one.options, other.options);
}

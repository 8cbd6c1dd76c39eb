import { isDeepStrictEqual } from "node:util";
import { describeValue } from "../diagnostics.ts";
import { findSupport, isClusterAtomic } from "../../../storage/adapters.ts";
import {
  isForgetfulDriver,
  isStaleDriver,
  layersOf,
  overlaidIn,
} from "../../../storage/documents/driver.ts";
import { isDriver, isFileDriver, writesWholeFiles } from "../../../storage/documents/driver.ts";
import { hasBuiltinAccounts } from "./commerce-rules.ts";
import type { RuleContext } from "./rule.ts";
import { isLocalHost } from "../hosts.ts";
import { describeStorage, findStorages, type ConfiguredStorage } from "../configured-storages.ts";

/** The storages lose no document, and every process that uses them sees the same documents. */
export function storageRule(context: RuleContext): void {
  const { config, environment, report } = context;
  const storages = findStorages(config).filter(({ driver }) => driver !== undefined);
  for (const [index, storage] of storages.entries()) {
    checkDriver(storage, context);
    checkConnection(storage, context);
    const isTwin = (other: ConfiguredStorage) => isSameStorage(other, storage);
    if (storages.slice(0, index).some(isTwin)) {
      report("SF509", storage, { found: "the same options again" });
    }
  }
  // In development, accounts can use the default storage, with any driver.
  const { isSet } = config.storage.account;
  if (environment.production || isSet) checkAccounts(context);
}

// --- Internal helpers ---

/** Drivers that have separate data, even with the same options. */
const independent = new Set(["lru-cache", "memory", "null"]);

function checkDriver(storage: ConfiguredStorage, context: RuleContext): void {
  const { environment, report } = context;
  const { driver = "", options, config } = storage;
  const found = describeValue(driver, "driver");
  const names = layersOf(driver, options);
  const isStale = names.some(isStaleDriver);
  if (driver === "memory" && environment.developmentData === undefined) {
    report("SF501", storage, { found });
  }
  if (names.some(isForgetfulDriver)) report("SF504", storage, { found });
  if (isStale) report("SF506", storage, { found });
  if (!isClusterAtomic(config) && environment.isOneOfSeveral) report("SF502", storage, { found });
  const { ttl } = options;
  if (ttl !== undefined) report("SF505", { path: `${storage.path}.ttl`, value: ttl });
  const layers = overlaidIn(driver, options);
  const objects = isDriver(config) ? [config, ...layers] : layers;
  if (objects.some((object) => isFileDriver(object) && !writesWholeFiles(object))) {
    report("SF514", storage, { found: `${found} as an object` });
  }
  if (isClusterAtomic(config)) return;
  const { singleProcess, lossy } = context.config.storage;
  if (environment.isWorker && !(isStale && lossy.value)) {
    return report("SF515", storage, { found });
  }
  // The config must accept a storage that isn't atomic across processes.
  if (!isStale) report(singleProcess.value ? "SF503" : "SF510", storage, { found });
  else if (!lossy.value) report("SF511", storage, { found });
}

/** The built-in accounts need a driver that keeps documents. */
function checkAccounts({ config, report }: RuleContext): void {
  if (!hasBuiltinAccounts(config)) return;
  const storage = describeStorage(config.storage.account);
  if (storage.driver === undefined) return;
  const names = layersOf(storage.driver, storage.options);
  const found = describeValue(storage.driver, "driver");
  if (names.some((name) => isForgetfulDriver(name) || isStaleDriver(name))) {
    report("SF512", storage, { found });
  } else if (names.includes("memory")) {
    report("SF513", storage, { found });
  }
}

function checkConnection(storage: ConfiguredStorage, { report }: RuleContext): void {
  const connection = findSupport(storage.driver)?.readConnection(storage.options);
  if (connection === undefined || connection.hosts.every(isLocalHost)) return;
  const { hasTls, hasPassword } = connection;
  if (!hasTls) report("SF507", storage, { found: "no TLS" });
  if (!hasPassword) report("SF508", storage, { found: "no password" });
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

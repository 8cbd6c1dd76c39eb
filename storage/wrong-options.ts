import type { FSStorageOptions } from "unstorage/drivers/fs";
import type { HTTPOptions } from "unstorage/drivers/http";
import type { LRUDriverOptions } from "unstorage/drivers/lru-cache";
import { findSupport } from "./adapters.ts";
import {
  findWrongOptions,
  type OptionNames,
  type Synonyms,
  type WrongOption,
} from "./documents/driver-options.ts";

/**
 * Finds the options that a driver ignores, although they are meant for it: misspelled ones, and names of other clients,
 * for example `uri`.
 * @param driver the name of its file in unstorage
 */
export function findIgnoredOptions(
  driver: string,
  options: Readonly<Record<string, unknown>>,
): readonly WrongOption[] {
  const own = drivers[driver];
  if (own !== undefined) return findWrongOptions(options, own.names, own.synonyms);
  return findSupport(driver)?.findWrongOptions(options) ?? [];
}

// --- Internal helpers ---

const files: OptionNames<FSStorageOptions> = {
  base: true,
  ignore: true,
  noClear: true,
  readOnly: true,
  watchOptions: true,
};

const http: OptionNames<HTTPOptions> = { base: true, headers: true };

const lruCache: OptionNames<LRUDriverOptions> = {
  allowStale: true,
  allowStaleOnFetchAbort: true,
  allowStaleOnFetchRejection: true,
  backgroundFetchSize: true,
  dispose: true,
  disposeAfter: true,
  fetchMethod: true,
  ignoreFetchAbort: true,
  max: true,
  maxEntrySize: true,
  maxSize: true,
  memoMethod: true,
  noDeleteOnFetchRejection: true,
  noDeleteOnStaleGet: true,
  noDisposeOnSet: true,
  noUpdateTTL: true,
  onInsert: true,
  perf: true,
  sizeCalculation: true,
  ttl: true,
  ttlAutopurge: true,
  ttlResolution: true,
  updateAgeOnGet: true,
  updateAgeOnHas: true,
};

/** The drivers of `worker-drivers.ts` and `drivers.ts` whose storage can't compare and swap. */
const drivers: Readonly<Record<string, { readonly names: object; readonly synonyms: Synonyms }>> = {
  fs: { names: files, synonyms: {} },
  "fs-lite": { names: files, synonyms: {} },
  http: { names: http, synonyms: {} },
  "lru-cache": {
    names: lruCache,
    synonyms: { max: ["maxItems", "maxEntries", "capacity", "limit", "size"] },
  },
};

import type { Driver } from "unstorage";
import { supports } from "#drivers";
import {
  isAdapterDriver,
  pingKey,
  type AdapterDriver,
  type AdapterOptions,
  type StorageAdapter,
} from "./documents/adapter.ts";
import { assertWritable, createDriverAdapter } from "./documents/driver-adapter.ts";
import type { Counters } from "./documents/documents.ts";
import { isDriver, type StorageConfig } from "./documents/driver.ts";
import { findMisspelled } from "../shared/similar.ts";
import type { KeyedMutex } from "./documents/keyed-mutex.ts";
import { bindOthers, createDriverCalls } from "./documents/unavailable.ts";
import { createDeferredAdapter } from "./documents/deferred-adapter.ts";
import { findDeferred } from "./deferred-driver.ts";

/**
 * Creates the adapter of a driver: its own, the one for its storage, or the one for any unstorage driver.
 *
 * @throws TypeError if the driver can't write, or if its adapter contradicts itself, lacks a function, or misspells one
 */
export function createAdapter(
  driver: Driver,
  mutex: KeyedMutex,
  options: AdapterOptions,
): StorageAdapter {
  if (isAdapterDriver(driver)) {
    return withTimeLimit(assertConsistent(driver, driver.createAdapter(options)));
  }
  const deferred = findDeferred(driver);
  if (deferred !== undefined) {
    if (deferred.capabilities.atomic === "process") assertWritable(driver);
    return createDeferredAdapter(deferred.capabilities, async () =>
      createAdapter(await deferred.load(), mutex, options),
    );
  }
  const support = supports.find(({ isSupported }) => isSupported(driver));
  return support?.createAdapter(driver, options) ?? createDriverAdapter(driver, mutex, options);
}

/** Whether changes in a storage are atomic across processes. Opens nothing. */
export function isClusterAtomic(config: StorageConfig): boolean {
  if (!isDriver(config)) return findSupport(config.driver) !== undefined;
  if (isAdapterDriver(config)) return config.atomic === "cluster";
  return supports.some(({ isSupported }) => isSupported(config));
}

/** The support for an unstorage driver whose storage can compare and swap. */
export function findSupport(driver: string | undefined) {
  return supports.find((support) => support.driver === driver);
}

// --- Internal helpers ---

/** The functions of an adapter, and whether each adapter has them. */
const adapterFunctions: Readonly<Record<Exclude<keyof StorageAdapter, "capabilities">, boolean>> = {
  read: true,
  swap: true,
  take: true,
  setAside: true,
  ping: true,
  close: true,
  ready: false,
  inspect: false,
  counters: false,
  watch: false,
};

function assertConsistent(
  { name = "custom", atomic }: AdapterDriver,
  adapter: StorageAdapter,
): StorageAdapter {
  const { capabilities, watch } = adapter;
  if (capabilities.atomic !== atomic) {
    throw new TypeError(
      `The storage driver "${name}" says atomic: "${atomic}", and its adapter "${capabilities.atomic}"`,
    );
  }
  const isPushed = capabilities.atomic === "cluster" && capabilities.changes === "pushed";
  if (isPushed && watch === undefined) {
    throw new TypeError(`The adapter of "${name}" says changes: "pushed", but has no watch()`);
  }
  for (const [member, isRequired] of Object.entries(adapterFunctions)) {
    if (isRequired && typeof adapter[member as keyof StorageAdapter] !== "function") {
      throw new TypeError(`The adapter of "${name}" has no function ${member}`);
    }
  }
  const known = ["capabilities", ...Object.keys(adapterFunctions)];
  for (const { name: member, meant } of findMisspelled(adapter, known, isFunction)) {
    throw new TypeError(
      `An adapter has no member ${member}, as that of "${name}"; did you mean ${meant}?`,
    );
  }
  return adapter;
}

/** Limits the time of each operation, as for unstorage drivers. */
function withTimeLimit(adapter: StorageAdapter): StorageAdapter {
  const calls = createDriverCalls(() => {});
  return {
    ...bindOthers(adapter),
    read: (key) => run(key, () => adapter.read(key)),
    swap: (key, expected, next) => run(key, () => adapter.swap(key, expected, next)),
    take: (key) => run(key, () => adapter.take(key)),
    setAside: (key, text) => run(key, () => adapter.setAside(key, text)),
    ping: () => run(pingKey, () => adapter.ping()),
    ...(adapter.counters && { counters: withLimitedCounters(adapter.counters.bind(adapter)) }),
  };

  function withLimitedCounters(open: NonNullable<StorageAdapter["counters"]>): typeof open {
    return (name, window): Counters => {
      const counters = open(name, window);
      return {
        read: (key) => run(`${name}:${key}`, () => counters.read(key)),
        add: (key) => run(`${name}:${key}`, () => counters.add(key)),
        takeBack: (key) => run(`${name}:${key}`, () => counters.takeBack(key)),
        clear: (key) => run(`${name}:${key}`, () => counters.clear(key)),
      };
    };
  }

  async function run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    calls.admit(key);
    return calls.read(operation());
  }
}

function isFunction(_name: string, value: unknown): boolean {
  return typeof value === "function";
}

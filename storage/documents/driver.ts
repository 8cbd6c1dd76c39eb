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

// --- Internal helpers ---

const wholeDrivers = new WeakSet<Driver>();

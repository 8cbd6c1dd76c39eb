import { createRequire } from "node:module";
import { resolve } from "node:path";
import { builtinDrivers, type Driver } from "unstorage";
import { findSupport } from "./adapters.ts";
import { isDriver, isFileDriver, type StorageConfig } from "./documents/driver.ts";
import { withWholeFiles } from "./documents/file-driver.ts";

/**
 * Creates the driver of a config; returns a driver object as it is.
 *
 * A redis driver that this creates fails within about a second if Redis is down, instead of hanging. A fs driver that
 * this creates writes whole files. A driver object writes in place, so a full disk can empty a document.
 * @throws TypeError if unstorage has no driver of this name; any error of the driver about its options
 */
export function openDriver(config: StorageConfig): Driver {
  if (isDriver(config)) return config;
  const { driver: name, ...options } = config;
  if (typeof name !== "string" || !Object.hasOwn(builtinDrivers, name)) {
    throw new TypeError(`There is no storage driver ${JSON.stringify(name)}; ${suggest(name)}`);
  }
  const createDriver = loadDriver(name, builtinDrivers[name as keyof typeof builtinDrivers]);
  const driver = createDriver(findSupport(name)?.withDefaults(options) ?? options);
  if (name === "memory") privateDrivers.add(driver);
  return isFileDriver(driver) ? withWholeFiles(driver, resolve(String(options["base"]))) : driver;
}

/**
 * Whether only the stores on a driver can change its documents: it is memory of this process and was created here.
 * Other code can have a driver object of a config, too.
 */
export function isPrivateDriver(driver: Driver): boolean {
  return privateDrivers.has(driver);
}

// --- Internal helpers ---

type Options = Readonly<Record<string, unknown>>;

const require = createRequire(import.meta.url);

const privateDrivers = new WeakSet<Driver>();

function loadDriver(name: string, path: string): (options: Options) => Driver {
  try {
    const loaded = require(path) as DriverModule | DriverModule["default"];
    return typeof loaded === "function" ? loaded : loaded.default;
  } catch (cause) {
    const missing = cause instanceof Error && missingPackage.exec(cause.message)?.[1];
    if (!missing) throw cause;
    throw new Error(
      `The storage driver "${name}" needs a package that is not installed: npm install ${missing}`,
      { cause },
    );
  }
}

interface DriverModule {
  readonly default: (options: Options) => Driver;
}

/** The package in "Cannot find module '@scope/package/file'". */
const missingPackage = /^Cannot find (?:module|package) '((?:@[^/']+\/)?[^/.'][^/']*)/;

/** The names that were probably meant, or else all of them. */
function suggest(name: unknown): string {
  const names = [...new Set(Object.values(builtinDrivers))].map((path) => path.replace(/.*\//, ""));
  const letters = toLetters(String(name));
  const near = names.filter((known) => {
    const knownLetters = toLetters(known);
    return (
      letters.length > 1 && (knownLetters.startsWith(letters) || letters.startsWith(knownLetters))
    );
  });
  return near.length > 0 ? `did you mean ${near.join(", ")}?` : `there are ${names.join(", ")}`;
}

function toLetters(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

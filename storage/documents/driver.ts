import { createRequire } from "node:module";
import { resolve } from "node:path";
import { builtinDrivers, type Driver } from "unstorage";
import { withWholeFiles } from "./file-driver.ts";

/** A driver by its unstorage name with its options, or a driver object. */
export type StorageConfig =
  | Driver
  | ({ readonly driver: string } & Readonly<Record<string, unknown>>);

/**
 * Makes the driver a config asks for; a driver object stays itself.
 *
 * A redis driver that this opens fails within a second or so if Redis is down, instead of hanging. A fs driver that
 * this opens writes whole files. A driver object writes in place, so a full disk can empty a document.
 * @throws TypeError where unstorage has no driver of that name, and what the driver says of its options
 */
export function openDriver(config: StorageConfig): Driver {
  if (isDriver(config)) return config;
  const { driver: name, ...options } = config;
  if (typeof name !== "string" || !Object.hasOwn(builtinDrivers, name)) {
    throw new TypeError(`There is no storage driver ${JSON.stringify(name)}; ${suggest(name)}`);
  }
  const createDriver = loadDriver(name, builtinDrivers[name as keyof typeof builtinDrivers]);
  const driver = createDriver(name === "redis" ? withRedisDefaults(options) : options);
  if (name === "memory") privateDrivers.add(driver);
  return isFileDriver(driver) ? withWholeFiles(driver, resolve(String(options["base"]))) : driver;
}

/**
 * Whether nobody can change what a driver holds but by the stores on it: it is memory of this process, and
 * was made here. An object that came with a config may be in other hands, too.
 */
export function isPrivateDriver(driver: Driver): boolean {
  return privateDrivers.has(driver);
}

/** Whether a storage is given as a driver object. */
export function isDriver(config: StorageConfig): config is Driver {
  return typeof config.getItem === "function";
}

/** Whether a driver keeps each document in a file of the key's name. */
export function isFileDriver({ name }: Driver): boolean {
  return name === "fs" || name === "fs-lite";
}

// --- Internal helpers ---

type Options = Readonly<Record<string, unknown>>;

const require = createRequire(import.meta.url);

const privateDrivers = new WeakSet<Driver>();

/**
 * Milliseconds, ioredis' own unit. What was sent when a connection broke is not sent again, for it may
 * have been done: a write done twice would add to a basket twice.
 */
const redisDefaults = {
  maxRetriesPerRequest: 1,
  commandTimeout: 1000,
  connectTimeout: 1000,
  autoResendUnfulfilledCommands: false,
};

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

function withRedisDefaults(options: Options): Options {
  if (options["cluster"] === undefined) return withDefaults(options, redisDefaults);
  const clusterOptions = (options["clusterOptions"] ?? {}) as Options;
  const redisOptions = withDefaults(
    (clusterOptions["redisOptions"] ?? {}) as Options,
    redisDefaults,
  );
  return { ...options, clusterOptions: { ...clusterOptions, redisOptions } };
}

/** The options over the defaults; `undefined` erases none. */
function withDefaults(options: Options, defaults: Options): Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

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

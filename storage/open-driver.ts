import { builtinDrivers, type Driver } from "unstorage";
import { drivers } from "#drivers";
import { findSupport } from "./adapters.ts";
import { createDeferredDriver } from "./deferred-driver.ts";
import { findSimilar } from "../shared/similar.ts";
import type { WrongOption } from "./documents/driver-options.ts";
import { findIgnoredOptions } from "./wrong-options.ts";
import type { Capabilities } from "./documents/documents.ts";
import { createMemoryDriver } from "./memory-driver.ts";
import { isDriver, isFileDriver, markWholeFiles, type StorageConfig } from "./documents/driver.ts";

/**
 * Opens the driver of a config, and returns a driver object as it is. By name, redis fails within about a second if it
 * is down, and fs writes whole files. A driver object of fs writes in place, so a full disk can empty a document.
 * @throws TypeError if a config can't name this driver, or if an option is missing or misspelled
 */
export function openDriver(config: StorageConfig): Driver {
  if (isDriver(config)) return config;
  const { driver: given, ...options } = config;
  const expected = findDriverFault(given);
  if (expected !== undefined) {
    throw new TypeError(`Unknown storage driver ${JSON.stringify(given)}; ${expected}`);
  }
  const name = toDriverName(given);
  assertBase(name, options);
  for (const { path, meant } of findIgnored(config)) {
    const option = path.join(".");
    throw new TypeError(
      `The storage driver "${name}" has no option ${option}; did you mean ${meant}?`,
    );
  }
  if (name === "memory") {
    const driver = createMemoryDriver();
    privateDrivers.add(driver);
    return driver;
  }
  const support = findSupport(name);
  const completed = support?.withDefaults(options) ?? options;
  const driver = createDeferredDriver(
    { name, options: completed, isRaw: support === undefined },
    () => (drivers[name] as (typeof drivers)[string])(completed),
    support?.capabilitiesOf(options) ?? ofOneProcess,
  );
  if (isFileDriver(driver)) markWholeFiles(driver);
  return driver;
}

/** Explains how to create a driver that a config can't name. */
export function findDriverFault(driver: unknown): string | undefined {
  const name = typeof driver === "string" ? toDriverName(driver) : "";
  return name === "memory" || Object.hasOwn(drivers, name) ? undefined : suggest(driver);
}

/** Finds the options of a storage that its driver ignores, although they are meant for it. */
export function findIgnored(config: StorageConfig): readonly WrongOption[] {
  if (!isDriver(config)) {
    const { driver, ...options } = config;
    return findIgnoredOptions(toDriverName(driver), options);
  }
  const { name = "", options } = config as { readonly name?: string; readonly options?: object };
  // A driver object of another program can have any options under the same name.
  if (findSupport(name)?.isSupported(config) !== true) return [];
  return findIgnoredOptions(name, { ...options }).map(({ path, meant }) => {
    return { path: ["options", ...path], meant };
  });
}

/** unstorage has two names for most drivers, for example `lruCache` and `lru-cache`. The second is the file's name. */
export function toDriverName(name: string): string {
  const path = Object.hasOwn(builtinDrivers, name)
    ? builtinDrivers[name as keyof typeof builtinDrivers]
    : name;
  return path.replace(/.*\//, "");
}

/**
 * Whether only the stores on a driver can change its documents: it is memory of this process and was created here.
 * Other code can have a driver object of a config, too.
 */
export function isPrivateDriver(driver: Driver): boolean {
  return privateDrivers.has(driver);
}

// --- Internal helpers ---

const ofOneProcess: Capabilities = { atomic: "process", ttl: "stored" };

const privateDrivers = new WeakSet<Driver>();

const needBase: ReadonlySet<string> = new Set(["fs", "fs-lite", "http"]);

function assertBase(name: string, { base }: Readonly<Record<string, unknown>>): void {
  if (!needBase.has(name) || typeof base === "string") return;
  const example = name === "http" ? "https://storage.example/documents" : "./data";
  throw new TypeError(
    `The storage driver "${name}" needs the option \`base\`, for example { driver: "${name}", base: "${example}" }`,
  );
}

/** The names that were probably meant, or all names, and the line to write for another driver of unstorage. */
function suggest(driver: unknown): string {
  const names = ["memory", ...Object.keys(drivers)];
  const others = `there are ${names.join(", ")}. Any other driver is an object`;
  if (typeof driver === "string" && Object.hasOwn(builtinDrivers, driver)) {
    const name = toDriverName(driver);
    const created = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    return `${others}: import ${created} from "unstorage/drivers/${name}", and pass ${created}({ … })`;
  }
  const letters = toLetters(String(driver));
  const near = names.filter((known) => {
    const knownLetters = toLetters(known);
    return (
      letters.length > 1 && (knownLetters.startsWith(letters) || letters.startsWith(knownLetters))
    );
  });
  if (near.length > 0) return `did you mean ${near.join(", ")}?`;
  const similar = findSimilar(String(driver), names);
  return similar === undefined ? others : `did you mean ${similar}?`;
}

function toLetters(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

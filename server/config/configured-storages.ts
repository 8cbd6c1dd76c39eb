import { builtinDrivers } from "unstorage";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { ConfigSettings } from "./config-settings.ts";
import { placeOf } from "./rules/rule.ts";
import type { Setting } from "./layers.ts";

/** A storage of a config, and the first place that it is used at. */
export interface StoragePlace {
  /** As `storage.session`. */
  readonly path: string;
  /** `undefined` where there is none that is known. */
  readonly driver: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly config: StorageConfig;
}

/** The storages of a config, each once. */
export function findStorages({ server, shops }: ConfigSettings): readonly StoragePlace[] {
  const uses: [path: string, setting: Setting<StorageConfig>][] = [
    ...shops.flatMap(({ storage }): [string, Setting<StorageConfig>][] => [
      ["storage.session", storage.session],
      ["storage.basket", storage.basket],
    ]),
    ["storage.account", server.storage.account],
  ];
  const places = new Map<StorageConfig, StoragePlace>();
  for (const [path, setting] of uses) {
    const config = setting.value;
    if (!places.has(config)) places.set(config, describeStorage(config, placeOf(setting, path)));
  }
  return [...places.values()];
}

/** A storage, by its driver and its options. */
export function describeStorage(config: StorageConfig, path: string): StoragePlace {
  if (typeof config.getItem === "function") {
    const options = (config.options ?? {}) as StoragePlace["options"];
    const { name = "custom" } = config as { readonly name?: string };
    return { path, config, driver: name, options };
  }
  const { driver, ...options } = config as StoragePlace["options"];
  const name = typeof driver === "string" ? toFileName(driver) : undefined;
  return { path, config, driver: name, options };
}

// --- Internal helpers ---

/** unstorage knows most drivers by two names: `lruCache` is `lru-cache`, as is its file. */
function toFileName(name: string): string {
  const file = Object.hasOwn(builtinDrivers, name)
    ? builtinDrivers[name as keyof typeof builtinDrivers]
    : name;
  return file.replace(/.*\//, "");
}

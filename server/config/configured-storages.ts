import { toDriverName } from "../../storage/open-driver.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { SourcedValue } from "./keys/config-key.ts";
import type { SourcedConfig } from "./merge-config.ts";

/** A storage of a config, and the first key that uses it. */
export interface ConfiguredStorage {
  /** The path of the key, for example `storage.session`. */
  readonly path: string;
  /** `undefined` if the driver is unknown. */
  readonly driver: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly config: StorageConfig;
}

/** The storages of a config, each of them once. */
export function findStorages({ shops, storage }: SourcedConfig): readonly ConfiguredStorage[] {
  const uses = shops.flatMap((shop) => [shop.storage.session, shop.storage.basket]);
  const storages = new Map<StorageConfig, ConfiguredStorage>();
  for (const use of [...uses, storage.account]) {
    if (!storages.has(use.value)) storages.set(use.value, describeStorage(use));
  }
  return [...storages.values()];
}

/** Describes a storage by its driver and its options. */
export function describeStorage(use: SourcedValue<StorageConfig>): ConfiguredStorage {
  const { path, value: config } = use;
  if (typeof config.getItem === "function") {
    const options = (config.options ?? {}) as ConfiguredStorage["options"];
    const { name = "custom" } = config as { readonly name?: string };
    return { path, config, driver: name, options };
  }
  const { driver, ...options } = config as ConfiguredStorage["options"];
  const name = typeof driver === "string" ? toDriverName(driver) : undefined;
  return { path, config, driver: name, options };
}

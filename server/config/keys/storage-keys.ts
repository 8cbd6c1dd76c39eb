import * as z from "zod/mini";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { findSupport } from "../../../storage/adapters.ts";
import { findDriverFault, findIgnored } from "../../../storage/open-driver.ts";
import { boolean, follow, hasFunctions, type ConfigOf, type KeyTable } from "./config-key.ts";

/** Storages that a shop can have for itself. */
export interface ShopStorageConfig extends ConfigOf<typeof shopStorageKeys> {}

export const shopStorageKeys = {
  // The same object in several keys means the same storage.
  /** Sessions: a driver by name with its options (`redis`, `fs`, `fs-lite`, `lru-cache`, `http`, `memory`), or the driver object of any other [unstorage driver](https://unstorage.unjs.io/drivers). @default `{ driver: "memory" }` */
  session: { ...storage(), default: { driver: "memory" } },
  /** Baskets and wishlists. @default `storage.session` */
  basket: { ...storage(), derive: follow<StorageConfig>("storage.session") },
} satisfies KeyTable;

export const storageKeys = {
  ...shopStorageKeys,
  /** The built-in accounts. The server rejects drivers that can lose documents; production also rejects `memory`. @default `storage.basket` */
  account: { ...storage(), derive: follow<StorageConfig>("storage.basket") },
  /** Whether only one process uses the storages. Production needs `true` for drivers that are atomic within one process only. @default false */
  singleProcess: { ...boolean, default: false },
  /** Whether lost writes and stale data are acceptable. Production needs `true` for drivers that are not atomic, for example Cloudflare KV. @default false */
  lossy: { ...boolean, default: false },
} satisfies KeyTable;

// --- Internal helpers ---

function storage() {
  const expected = 'a driver object, or {driver: "<name>", …its options}';
  const schema = z.custom<StorageConfig>().check(({ value: config, issues }) => {
    const report = (message: string, ...path: (string | number)[]) =>
      void issues.push({ code: "custom", path, message, input: config });
    const reportIgnored = () => {
      for (const { path, meant } of findIgnored(config)) {
        report(`no such option; did you mean ${meant}?`, ...path);
      }
    };
    if (hasFunctions(config, ["getItem"])) {
      reportIgnored();
      return;
    }
    const options = (config ?? {}) as Readonly<Record<string, unknown>>;
    const { driver } = options;
    if (typeof driver !== "string") {
      report(expected);
      return;
    }
    const instead = findDriverFault(driver);
    if (instead !== undefined) {
      report(`the name of an unstorage driver that a config can name: ${instead}`, "driver");
    } else {
      const address = "a valid address, for example redis://redis.example:6379";
      for (const name of findSupport(driver)?.findInvalidUrls(options) ?? []) {
        report(name === "cluster" ? `a list of nodes, each ${address}` : address, name);
      }
      reportIgnored();
    }
  });
  return { schema, expected };
}

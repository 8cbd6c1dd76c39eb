import { serverGroups, shopGroups } from "./config.ts";
import type { KeyTable, SourcedValue } from "./keys/config-key.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";
import type { SourcedConfig } from "./merge-config.ts";

/**
 * Describes the effective keys of a shop, with the source of each value. For secrets, it gives only the length.
 * @throws Error if there is no such shop
 */
export function explainShop(
  config: SourcedConfig,
  shopId: string,
  { production }: { readonly production: boolean },
): string {
  const shop = config.shops.find((each) => String(each.shop.shopId.value) === shopId);
  if (shop === undefined) {
    const known = config.shops.map((each) => each.shop.shopId.value).join(", ");
    throw new Error(`--shop: found ${JSON.stringify(shopId)}, expected one of ${known}`);
  }
  const rows: string[][] = [
    ["production", String(production), "environment (NODE_ENV)"],
    ...toRows({ ...shopKeys, ...shopGroups }, { ...shop.shop, ...shop }),
    ...toRows({ ...topKeys, ...serverGroups }, { ...config.top, ...config }),
  ];
  // A shop's `storage.session` hides the global one.
  const shown = rows.filter(([key], index) => rows.findIndex(([first]) => first === key) === index);
  const widths = [0, 1].map((column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  const lines = shown.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${cells.join("  ")}\n`;
  });
  const cookie = `${shop.session.cookieName.value}-${shopId}`;
  return `Shop ${shopId}, whose cookie is ${cookie}\n\n${lines.join("")}`;
}

// --- Internal helpers ---

/** A row for each key of a table, and for each key of its groups. */
function toRows(table: KeyTable, values: object, prefix = ""): string[][] {
  return Object.entries(table).flatMap(([name, { visibility, keys = {} }]) => {
    const { [name]: found = {} } = values as Readonly<Record<string, Partial<SourcedValue>>>;
    const { source, value } = found;
    if (source === undefined) return toRows(keys, found, `${name}.`);
    const shown = visibility === "secret" ? describeSecrets(value) : describe(value);
    return [[`${prefix}${name}`, shown, source]];
  });
}

/** For example `2 secrets (64, 64 characters)`. */
function describeSecrets(value: unknown): string {
  if (value === undefined) return "none";
  const lengths = [value].flat().map((secret) => String(secret).length);
  const noun = lengths.length === 1 ? "secret" : "secrets";
  return `${lengths.length} ${noun} (${lengths.join(", ")} characters)`;
}

function describe(value: unknown): string {
  if (value === undefined) return "none";
  if (typeof value === "function") return "a function";
  if (value instanceof RegExp) return String(value);
  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return describeObject(value);
}

/** Describes a storage by its driver alone, because its options can contain a password. */
function describeObject(value: object): string {
  if ("getItem" in value) return `a driver object${"name" in value ? ` (${value.name})` : ""}`;
  if ("driver" in value) return String(value.driver);
  const parts = Object.entries(value).map(([key, inner]) => {
    return typeof inner === "number" ? `${key} ${inner}` : key;
  });
  return `{ ${parts.join(", ")} }`.replace("{  }", "none");
}

import { serverGroups, shopGroups } from "./config.ts";
import type { KeyTable, SourcedValue } from "./keys/config-key.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { StartError } from "./start-error.ts";
import { topKeys } from "./keys/top-keys.ts";
import type { SourcedConfig } from "./merge-config.ts";

/** The effective value of a key, and its source. */
interface Setting {
  /** For example `session.maxAge`. */
  readonly key: string;
  /** A string, number, or boolean as it is, and `null` for none. Any other value is described by a text. */
  readonly value: string | number | boolean | null;
  /** The value in the notation of the config. For secrets, only their lengths. */
  readonly text: string;
  readonly source: string;
}

/**
 * Finds the effective keys of a shop, with the source of each value, and the name of its cookie. For secrets, it gives
 * only the length.
 * @throws StartError if the config has no such shop
 */
export function explainShop(
  config: SourcedConfig,
  shopId: string,
  { production }: { readonly production: boolean },
) {
  const shop = config.shops.find((each) => String(each.shop.shopId.value) === shopId);
  if (shop === undefined) {
    const known = config.shops.map((each) => each.shop.shopId.value).join(", ");
    throw new StartError(
      "SF907",
      `--shop: found ${JSON.stringify(shopId)}, expected one of ${known}`,
    );
  }
  const settings: readonly Setting[] = [
    toSetting("production", { value: production, source: "environment (NODE_ENV)" }),
    ...toSettings({ ...shopKeys, ...shopGroups }, { ...shop.shop, ...shop }),
    ...toSettings({ ...topKeys, ...serverGroups }, { ...config.top, ...config }),
  ];
  return {
    shopId: shop.shop.shopId.value,
    cookie: `${shop.session.cookieName.value}-${shopId}`,
    // A shop's `storage.session` hides the global one.
    settings: settings.filter(
      ({ key }, index) => settings.findIndex((first) => first.key === key) === index,
    ),
  };
}

/** Formats a line for each setting. */
export function describeExplanation({ shopId, cookie, settings }: ReturnType<typeof explainShop>) {
  const rows = settings.map(({ key, text, source }) => [key, text, source]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${cells.join("  ")}\n`;
  });
  return `Shop ${shopId}, whose cookie is ${cookie}\n\n${lines.join("")}`;
}

// --- Internal helpers ---

/** A setting for each key of a table, and for each key of its groups. */
function toSettings(table: KeyTable, values: object, prefix = ""): Setting[] {
  return Object.entries(table).flatMap(([name, { visibility, keys = {} }]) => {
    const { [name]: found = {} } = values as Readonly<Record<string, Partial<SourcedValue>>>;
    const { source, value } = found;
    if (source === undefined) return toSettings(keys, found, `${name}.`);
    return [toSetting(`${prefix}${name}`, { value, source }, visibility === "secret")];
  });
}

function toSetting(
  key: string,
  { value, source }: Pick<SourcedValue, "value" | "source">,
  isSecret = false,
): Setting {
  const text = isSecret ? describeSecrets(value) : describe(value);
  const isPlain = !isSecret && ["string", "number", "boolean"].includes(typeof value);
  if (isPlain) return { key, value: value as string | number | boolean, text, source };
  return { key, value: value === undefined ? null : text, text, source };
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

import type { ConfigSettings } from "./config-settings.ts";
import type { Setting } from "./layers.ts";

/**
 * Says what holds for a shop, key by key, and where each value comes from. Secrets are only measured.
 * @throws Error where there is no such shop
 */
export function explainShop(
  { server, shops }: ConfigSettings,
  shopId: string,
  { production }: { production: boolean },
): string {
  const settings = shops.find(({ shop }) => String(shop.shopId.value) === shopId);
  if (settings === undefined) {
    const known = shops.map(({ shop }) => shop.shopId.value).join(", ");
    throw new Error(`--shop: found ${JSON.stringify(shopId)}, expected one of ${known}`);
  }
  const { shop, ...groups } = settings;
  const { server: wide, storage, http, ...serverGroups } = server;
  const rows: Row[] = [
    ["production", String(production), "environment (NODE_ENV)"],
    ...toRows("", shop),
    ...Object.entries(groups).flatMap(([group, values]) => toRows(`${group}.`, values)),
    ...toRows("storage.", storage),
    ...toRows("", wide),
    ...toRows("server.", http),
    ...Object.entries(serverGroups).flatMap(([group, values]) => toRows(`${group}.`, values)),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${cells.join("  ")}\n`;
  });
  const cookie = `${settings.session.cookieName.value}-${shopId}`;
  return `Shop ${shopId}, whose cookie is ${cookie}\n\n${lines.join("")}`;
}

// --- Internal helpers ---

type Row = readonly [key: string, value: string, from: string];

/** Keys whose values are secrets. */
const secretKeys: ReadonlySet<string> = new Set(["secret", "encryptionKeys", "token"]);

function toRows(prefix: string, settings: object): Row[] {
  const entries = Object.entries<Setting>(settings as Record<string, Setting>);
  return entries.map(([key, { value, from }]) => [
    `${prefix}${key}`,
    secretKeys.has(key) ? measure(value) : describe(value),
    from,
  ]);
}

/** As `2 secrets (64, 64 characters)`. */
function measure(value: unknown): string {
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

/** A storage by its driver, for its options may hold a password; of others, plain values and names. */
function describeObject(value: object): string {
  if ("getItem" in value)
    return `a driver object${"name" in value ? ` (${String(value.name)})` : ""}`;
  if ("driver" in value) return String(value.driver);
  const parts = Object.entries(value).map(([key, inner]) => {
    return typeof inner === "number" ? `${key} ${inner}` : key;
  });
  return `{ ${parts.join(", ")} }`.replace("{  }", "none");
}

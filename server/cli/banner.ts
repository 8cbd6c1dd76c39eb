import { relative } from "node:path";
import type { Capabilities } from "../../storage/documents/documents.ts";
import { isStaleDriver } from "../../storage/documents/driver.ts";
import type { StoreInfo } from "../services.ts";
import type { Shop, StorefrontOptions } from "../config/options.ts";
import { toHosts } from "../config/hosts.ts";
import { devPagePath } from "../own-paths.ts";

/**
 * Describes a server for its operator: the address that it listens on, its shops, storages, and warnings.
 * @param dataFolder of the development data, if there is any
 */
export function describeStart(
  url: string,
  options: StorefrontOptions,
  stores: readonly StoreInfo[],
  dataFolder?: string,
): string {
  const origin = toVisitable(url);
  const isEverywhere = origin !== new URL(url).origin;
  return [
    `Storefront Core listens on ${origin}${isEverywhere ? " (and all other addresses)" : ""}`,
    "",
    "Shops",
    ...options.shops.map((shop) => `  ${describeShop(shop, origin, options)}`),
    `  (or any of them at ${origin}${options.basePath}/rpc/<method> with the header x-shop-id)`,
    ...describeDevPage(origin, options),
    "",
    "Storage",
    ...stores.map(({ uses, driver, capabilities }) => {
      const guarantees = isStaleDriver(driver)
        ? "not atomic, so writes can be lost"
        : describeGuarantees(capabilities);
      return `  ${driver} for ${uses}: ${guarantees}`;
    }),
    ...(dataFolder === undefined
      ? []
      : [`  the development data is in ${toShortPath(dataFolder)}; --fresh starts without it`]),
    ...options.warnings.flatMap((warning, index) => [
      ...(index === 0 ? ["", "Warnings"] : []),
      `  ${warning}`,
    ]),
    "",
  ].join("\n");
}

// --- Internal helpers ---

/** Relative to the current folder, if it is in there. */
function toShortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** An origin that a browser can open, even if the server listens on all addresses. */
function toVisitable(url: string): string {
  return new URL(url).origin.replace(/\/\/(?:\[::\]|0\.0\.0\.0)/, "//localhost");
}

/** The page accepts only connections from this machine, so other addresses don't lead to it. */
function describeDevPage(origin: string, { devPage }: StorefrontOptions): readonly string[] {
  const isHere = /\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(origin);
  if (devPage.off !== undefined || !isHere) return [];
  return ["", "Development page", `  ${origin}${devPagePath}`];
}

function describeShop(
  { public: { shopId, locale, currency, host, path }, isDefault }: Shop,
  origin: string,
  { basePath, shopSelector }: StorefrontOptions,
): string {
  const [first] = toHosts(host);
  const base = first === undefined ? origin : `${new URL(origin).protocol}//${first}`;
  const isAtRoot = shopSelector === "path_or_default" && isDefault;
  const segment = path === undefined || isAtRoot ? "" : `/${path}`;
  const isByHost = host !== undefined && shopSelector !== "path";
  const isReachable = path !== undefined || isAtRoot || isByHost;
  const address = isReachable ? `${base}${segment}${basePath}/rpc/<method>` : "by its header only";
  return `${shopId}  ${locale} ${currency}  ${address}`;
}

function describeGuarantees(capabilities: Capabilities): string {
  const isNative = capabilities.ttl === "native";
  const endings = isNative ? "expiry by the storage" : "expiry by a sweep of this process";
  if (capabilities.atomic === "process") return `atomic within this process, ${endings}`;
  const cache = capabilities.changes === "pushed" ? "" : "sessions not cached, ";
  return `atomic across all processes on it, ${cache}${endings}`;
}

import { toPath, type ConfigFault } from "./config-error.ts";
import type { SessionConfig, ShopConfig, StorefrontConfig } from "./config.ts";
import { mergeLayers, sessionDefaults } from "./defaults.ts";

/** The rules between keys. What is at fault by itself has been taken out of the config before. */
export function findConflicts(
  config: Partial<StorefrontConfig>,
  { production }: { production: boolean },
): ConfigFault[] {
  const shops = (config.shops ?? []) as readonly Partial<ShopConfig>[];
  // Without a shop that can be read, the global settings are still looked at.
  const sharing = shops.length > 0 ? shops : [{}];
  const faults = [
    ...findDuplicates(shops),
    ...shops.flatMap((shop, index) => findPlaceConflicts(config, shop, index)),
    ...sharing.flatMap((shop, index) => findSessionConflicts(config, shop, index, production)),
  ];
  // A conflict of global settings is found for each shop that has them.
  const byText = new Map(faults.map((fault) => [JSON.stringify(fault), fault]));
  return [...byText.values()];
}

// --- Internal helpers ---

function findDuplicates(shops: readonly Partial<ShopConfig>[]): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const seen = new Set<unknown>();
  for (const [index, { shopId, host, path, isDefault }] of shops.entries()) {
    const at = (key: string) => toPath(["shops", index, key]);
    if (shopId !== undefined && seen.has(shopId)) {
      faults.push({ path: at("shopId"), found: `${shopId} again`, expected: "each id once" });
    }
    const place = `${host ?? ""}/${path ?? ""}`;
    if (place !== "/" && seen.has(place)) {
      const key = path === undefined ? "host" : "path";
      faults.push({ path: at(key), found: `${place} again`, expected: "each place once" });
    }
    if (isDefault === true && seen.has("default")) {
      faults.push({ path: at("isDefault"), found: "true again", expected: "one default shop" });
    }
    seen.add(shopId).add(place);
    if (isDefault === true) seen.add("default");
  }
  return faults;
}

function findPlaceConflicts(
  { shopSelector, basePath = "/api" }: Partial<StorefrontConfig>,
  { host, path }: Partial<ShopConfig>,
  index: number,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const at = (key: string) => toPath(["shops", index, key]);
  if (shopSelector === "domain" && host === undefined) {
    const expected = 'a host, for shopSelector is "domain"';
    faults.push({ path: at("host"), found: "nothing", expected });
  }
  if (shopSelector === "path" && path === undefined) {
    const expected = 'a path, for shopSelector is "path"';
    faults.push({ path: at("path"), found: "nothing", expected });
  }
  if (path !== undefined && basePath.split("/")[1] === path) {
    const expected = `another path than the methods' (basePath is ${basePath})`;
    faults.push({ path: at("path"), found: JSON.stringify(path), expected });
  }
  return faults;
}

function findSessionConflicts(
  config: Partial<StorefrontConfig>,
  shop: Partial<ShopConfig>,
  index: number,
  production: boolean,
): ConfigFault[] {
  const session = mergeLayers<SessionConfig>(sessionDefaults, config.session, shop.session);
  const { cookieName = "", domain, maxAge, partitioned, sameSite, secure } = session;
  const faults: ConfigFault[] = [];
  function conflict(key: keyof SessionConfig, expected: string): void {
    const isOwn = shop.session?.[key] !== undefined;
    const path = isOwn ? toPath(["shops", index, "session", key]) : toPath(["session", key]);
    const value = session[key];
    faults.push({ path, found: value === undefined ? "nothing" : JSON.stringify(value), expected });
  }
  if (production && session.secret === undefined) {
    conflict("secret", "a secret of 32 characters or more: there is none by default");
  }
  for (const key of ["idleTimeout", "guestIdleTimeout"] as const) {
    if ((session[key] ?? 0) > (maxAge ?? Infinity)) {
      conflict(key, `no more than maxAge, which is ${maxAge}`);
    }
  }
  const needsSecure = [
    sameSite === "none" && 'sameSite is "none"',
    partitioned && "partitioned is true",
    /^__(?:Host|Secure)-/i.test(cookieName) && `cookieName is ${JSON.stringify(cookieName)}`,
  ].find((reason) => reason !== false && reason !== undefined);
  if (secure === false && needsSecure) conflict("secure", `true or "auto", for ${needsSecure}`);
  if (/^__Host-/i.test(cookieName) && domain !== undefined) {
    conflict("domain", `nothing, for cookieName is ${JSON.stringify(cookieName)}`);
  }
  return faults;
}

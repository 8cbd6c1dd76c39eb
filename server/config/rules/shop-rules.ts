import { describeValue } from "../describe-value.ts";
import type { Report } from "../diagnostics.ts";
import type { RuleContext } from "./rule.ts";
import { toValues, type SourcedShop } from "../merge-config.ts";
import { toHostName, toHosts } from "../hosts.ts";

/** Every shop has an ID, a host and a path of its own, so calls can find it. */
export function shopRule({ config: { top, shops }, domains }: RuleContext, report: Report): void {
  findDuplicates(shops, domains, report);
  const { shopSelector, basePath } = toValues(top);
  for (const [index, { shop }] of shops.entries()) {
    const { host, path } = toValues(shop);
    const at = (key: string) => `shops[${index}].${key}`;
    if (shopSelector === "domain" && host === undefined) {
      report("SF005", at("host"), "nothing", 'a host, because shopSelector is "domain"');
    }
    if (shopSelector === "path" && path === undefined) {
      report("SF005", at("path"), "nothing", 'a path, because shopSelector is "path"');
    }
    if (path !== undefined && basePath.split("/")[1] === path) {
      const prefix = describeValue(basePath, "basePath");
      const expected = `another path than the methods' (basePath is ${prefix})`;
      report("SF006", at("path"), describeValue(path, "path"), expected);
    }
  }
}

// --- Internal helpers ---

function findDuplicates(
  shops: readonly SourcedShop[],
  { isPublicSuffix }: RuleContext["domains"],
  report: Report,
): void {
  const seen = new Set<unknown>();
  for (const [index, { shop }] of shops.entries()) {
    const { shopId, host, path } = toValues(shop);
    const at = (key: string) => `shops[${index}].${key}`;
    if (shopId !== undefined && seen.has(shopId)) {
      report("SF002", at("shopId"), `${shopId} again`);
    }
    const hosts = toHosts(host);
    const locations = new Set(
      (hosts.length === 0 ? [""] : hosts).map((name) => `${name}/${path ?? ""}`),
    );
    for (const location of locations) {
      if (location === "/" || !seen.has(location)) continue;
      const key = path === undefined ? "host" : "path";
      report("SF003", at(key), `${describeValue(location, key)} again`);
    }
    for (const name of hosts) {
      if (name.startsWith("*.") && isPublicSuffix(toHostName(name))) {
        report("SF405", at("host"), describeValue(name, "host"));
      }
    }
    const isDefault = shop.isDefault.isSet && shop.isDefault.value;
    if (isDefault && seen.has("default")) report("SF004", at("isDefault"), "true again");
    for (const key of [shopId, ...locations]) seen.add(key);
    if (isDefault) seen.add("default");
  }
}

import { describeValue } from "../diagnostics.ts";
import { toHostName, toHosts } from "../hosts.ts";
import { toValues } from "../merge-config.ts";
import type { RuleContext } from "./rule.ts";

/** Every shop has an ID, a host and a path of its own, so calls can find it. */
export function shopRule(context: RuleContext): void {
  checkDuplicates(context);
  const { config, report } = context;
  const { shopSelector, basePath } = toValues(config.top);
  for (const { host, path } of config.shops.map(({ shop }) => shop)) {
    if (shopSelector === "domain" && host.value === undefined) {
      report("SF005", host, { expected: 'a host, because shopSelector is "domain"' });
    }
    if (shopSelector === "path" && path.value === undefined) {
      report("SF005", path, { expected: 'a path, because shopSelector is "path"' });
    }
    if (path.value !== undefined && basePath.split("/")[1] === path.value) {
      const prefix = describeValue(basePath, "basePath");
      report("SF006", path, { expected: `another path than the methods' (basePath is ${prefix})` });
    }
  }
}

// --- Internal helpers ---

function checkDuplicates({ config, domains, report }: RuleContext): void {
  const seen = new Set<unknown>();
  for (const { shop } of config.shops) {
    const { shopId, host, path, isDefault } = shop;
    if (shopId.value !== undefined && seen.has(shopId.value)) {
      report("SF002", shopId, { found: `${shopId.value} again` });
    }
    const hosts = toHosts(host.value);
    const locations = new Set(
      (hosts.length === 0 ? [""] : hosts).map((name) => `${name}/${path.value ?? ""}`),
    );
    for (const location of locations) {
      if (location === "/" || !seen.has(location)) continue;
      const found = `${describeValue(location, "path")} again`;
      report("SF003", path.value === undefined ? host : path, { found });
    }
    for (const name of hosts) {
      if (name.startsWith("*.") && domains.isPublicSuffix(toHostName(name))) {
        report("SF405", host, { found: describeValue(name, "host") });
      }
    }
    const claims = isDefault.isSet && isDefault.value ? ["default"] : [];
    if (claims.some((claim) => seen.has(claim))) {
      report("SF004", isDefault, { found: "true again" });
    }
    for (const key of [shopId.value, ...locations, ...claims]) seen.add(key);
  }
}

import type { PublicShop } from "../../../rpc/shop.ts";
import { matchesOrigin, type CorsOrigin } from "../keys/cors-keys.ts";
import type { RuleContext } from "./rule.ts";
import { toValues, type SourcedShop } from "../merge-config.ts";
import { isLocalHost, toHostName, toHosts } from "../hosts.ts";

/** Only your own pages can make calls, and their browsers send the session with them. */
export function originRule(context: RuleContext): void {
  for (const shop of context.config.shops) {
    checkOrigins(shop, context);
    checkCookieOrigins(shop, context);
  }
}

// --- Internal helpers ---

function checkOrigins({ shop, session, cors }: SourcedShop, { report }: RuleContext): void {
  const { origin, credentials } = toValues(cors);
  const sendsCookies = credentials && [session.tokenMethod.value].flat().includes("cookie");
  if (typeof origin === "function") {
    const isOpen = (probe: string) => allows(origin, probe, toValues(shop) as PublicShop);
    if (sendsCookies && probes.some(isOpen)) {
      report("SF401", cors.origin, { found: "a function that allows any origin" });
    }
    return;
  }
  for (const [index, rule] of origin.entries()) {
    const at = { path: `${cors.origin.path}[${index}]` };
    const found = typeof rule === "string" ? JSON.stringify(rule) : String(rule);
    if (probes.some((probe) => matchesOrigin(rule, probe))) {
      if (sendsCookies) report("SF401", at, { found });
    } else if (rule instanceof RegExp && allowsLookAlikes(rule)) {
      report("SF402", at, { found });
    }
    if (isLocal(rule)) report("SF404", at, { found });
    else if (isHttp(rule)) report("SF403", at, { found });
  }
}

/** Whether the browsers of allowed pages send the cookie, and only theirs. */
function checkCookieOrigins(
  { shop, session, cors }: SourcedShop,
  { domains: { toSite }, report }: RuleContext,
): void {
  const methods = [session.tokenMethod.value].flat();
  const origin = cors.origin.value;
  if (methods.length > 1) report("SF209", session.tokenMethod);
  if (!methods.includes("cookie") || typeof origin === "function") return;
  if (session.sameSite.value === "none") {
    if (origin.length === 0) report("SF207", session.sameSite);
    return;
  }
  const sites = toHosts(shop.host.value).map((host) => toSite(toHostName(host)));
  const isForeign = (rule: string | RegExp) =>
    typeof rule === "string" && !sites.includes(toSite(new URL(rule).hostname));
  if (sites.length > 0 && methods.length === 1 && origin.some(isForeign)) {
    report("SF208", session.sameSite);
  }
}

/** Origins that nobody would allow on purpose. */
const probes = ["https://anybody.invalid", "http://any-body.at-all.invalid:8080"];

function allows(
  origin: Exclude<CorsOrigin, readonly unknown[]>,
  probe: string,
  shop: Parameters<typeof origin>[1],
): boolean {
  try {
    return origin(probe, shop) === true;
  } catch {
    return false;
  }
}

/** Whether a pattern has a dot for any character, or a wildcard that can match another domain. */
function allowsLookAlikes({ source }: RegExp): boolean {
  const pattern = source.replace(/\[(?:\\.|[^\]\\])*\]/g, "[]").replace(/\\\\/g, "");
  const bareDot = /(?<!\\)\.(?![*+?{])/;
  const openBegin = /(?<!\\)\.[*+]\??\)?[a-z0-9-]/i;
  const openEnd = /(?<!\\)\.[*+]\??\)*\$?$/;
  return [bareDot, openBegin, openEnd].some((hole) => hole.test(pattern));
}

function isLocal(rule: string | RegExp): boolean {
  if (typeof rule === "string") return isLocalHost(new URL(rule).hostname);
  // The scheme counts: an app in a web view has an origin such as `capacitor://localhost`.
  return /^\^?https?\??:.*(?:localhost|127\\?\.0)/.test(rule.source);
}

function isHttp(rule: string | RegExp): boolean {
  if (typeof rule === "string") return rule.startsWith("http:");
  return /^\^?http(?:s\?)?:/.test(rule.source);
}

import type { PublicShop } from "../../../rpc/shop.ts";
import { fitsOrigin } from "../../cors.ts";
import type { ShopSettings } from "../config-settings.ts";
import type { CorsOrigin } from "../config.ts";
import type { Report } from "../diagnostics.ts";
import { placeOf, reportSetting, type Subject } from "./rule.ts";
import { toValues } from "../layers.ts";
import { toHostName, toHosts } from "../../shop-hosts.ts";
import { isLocalHost, toSite } from "../registrable-domain.ts";

/** Pages that are let in are one's own, and their calls carry what they should. */
export function originRule({ settings: { shops } }: Subject, report: Report): void {
  for (const shop of shops) {
    checkOrigins(shop, report);
    checkTravel(shop, report);
  }
}

// --- Internal helpers ---

function checkOrigins({ shop, session, cors }: ShopSettings, report: Report): void {
  const { origin, credentials } = toValues(cors);
  const place = placeOf(cors.origin, "cors.origin");
  const sendsCookies = credentials && takes(session.tokenMethod.value, "cookie");
  if (typeof origin === "function") {
    if (sendsCookies && probes.some((probe) => asks(origin, probe, toValues(shop) as PublicShop))) {
      report("SF401", place, "a function that lets in any origin");
    }
    return;
  }
  for (const [index, rule] of origin.entries()) {
    const at = `${place}[${index}]`;
    const text = typeof rule === "string" ? JSON.stringify(rule) : String(rule);
    if (probes.some((probe) => fitsOrigin(rule, probe))) {
      if (sendsCookies) report("SF401", at, text);
    } else if (rule instanceof RegExp && letsInLookAlikes(rule)) {
      report("SF402", at, text);
    }
    if (isLocal(rule)) report("SF404", at, text);
    else if (isPlain(rule)) report("SF403", at, text);
  }
}

/** Whether cookies go where pages are, and pages are where cookies go. */
function checkTravel({ shop, session, cors }: ShopSettings, report: Report): void {
  const { sameSite, tokenMethod } = toValues(session);
  const { origin } = toValues(cors);
  if ([tokenMethod].flat().length > 1) {
    reportSetting(report, "SF209", ["session", session, "tokenMethod"]);
  }
  if (!takes(tokenMethod, "cookie") || typeof origin === "function") return;
  if (sameSite === "none") {
    if (origin.length === 0) reportSetting(report, "SF207", ["session", session, "sameSite"]);
    return;
  }
  const sites = toHosts(shop.host.value).map((host) => toSite(toHostName(host)));
  const isForeign = (rule: string | RegExp) =>
    typeof rule === "string" && !sites.includes(toSite(new URL(rule).hostname));
  if (sites.length > 0 && [tokenMethod].flat().length === 1 && origin.some(isForeign)) {
    reportSetting(report, "SF208", ["session", session, "sameSite"]);
  }
}

/** Origins that nobody would let in on purpose. */
const probes = ["https://anybody.invalid", "http://any-body.at-all.invalid:8080"];

function takes(tokenMethod: string | readonly string[], way: string): boolean {
  return [tokenMethod].flat().includes(way);
}

function asks(
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

/** Dots that stand for any character, and wildcards that more of a name, or all of one, can hide in. */
function letsInLookAlikes({ source }: RegExp): boolean {
  const pattern = source.replace(/\[(?:\\.|[^\]\\])*\]/g, "[]").replace(/\\\\/g, "");
  const bareDot = /(?<!\\)\.(?![*+?{])/;
  const openBegin = /(?<!\\)\.[*+]\??\)?[a-z0-9-]/i;
  const openEnd = /(?<!\\)\.[*+]\??\)*\$?$/;
  return [bareDot, openBegin, openEnd].some((hole) => hole.test(pattern));
}

function isLocal(rule: string | RegExp): boolean {
  if (typeof rule === "string") return isLocalHost(new URL(rule).hostname);
  // An app in a web view has such an origin, by a scheme of its own.
  return /^\^?https?\??:.*(?:localhost|127\\?\.0)/.test(rule.source);
}

function isPlain(rule: string | RegExp): boolean {
  if (typeof rule === "string") return rule.startsWith("http:");
  return /^\^?http(?:s\?)?:/.test(rule.source);
}

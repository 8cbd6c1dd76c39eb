import { describeFound } from "./config-error.ts";
import type { ShopSettings } from "./config-settings.ts";
import type { Report } from "./findings.ts";
import { reportSetting, type Subject } from "./rule.ts";
import { toValues } from "./settings.ts";
import { isPublicSuffix } from "./site.ts";

/** Browsers take the cookie, and show it to nobody else. */
export function cookieRule({ settings: { shops } }: Subject, report: Report): void {
  for (const shop of shops) {
    checkSecure(shop, report);
    checkDomain(shop, shops, report);
  }
}

// --- Internal helpers ---

function checkSecure({ session }: ShopSettings, report: Report): void {
  const { cookieName, partitioned, sameSite, secure } = toValues(session);
  if (secure !== false) return;
  const reason = [
    sameSite === "none" && 'sameSite is "none"',
    partitioned && "partitioned is true",
    isPrefixed(cookieName) && `cookieName is ${describeFound(cookieName, "cookieName")}`,
  ].find((text) => text !== false);
  const setting = ["session", session, "secure"] as const;
  if (reason === undefined) reportSetting(report, "SF203", setting);
  else reportSetting(report, "SF201", setting, `true or "auto", for ${reason}`);
}

function checkDomain(
  { session, shop }: ShopSettings,
  shops: readonly ShopSettings[],
  report: Report,
): void {
  const { cookieName, domain } = toValues(session);
  if (domain === undefined) return;
  const setting = ["session", session, "domain"] as const;
  if (/^__Host-/i.test(cookieName)) {
    const expected = `nothing, for cookieName is ${describeFound(cookieName, "cookieName")}`;
    reportSetting(report, "SF202", setting, expected);
  }
  const name = domain.replace(/^\./, "").toLowerCase();
  const host = toHostName(shop.host.value);
  const isAbove = (below: string) => below === name || below.endsWith(`.${name}`);
  if (isPublicSuffix(name)) {
    reportSetting(report, "SF205", setting);
  } else if (host !== undefined && !isAbove(host)) {
    reportSetting(report, "SF204", setting);
  } else if (host !== undefined) {
    const others = shops.map((other) => toHostName(other.shop.host.value));
    const isShared = others.some(
      (other) => other !== undefined && other !== host && isAbove(other),
    );
    if (isShared) reportSetting(report, "SF206", setting);
  }
}

function isPrefixed(cookieName: string): boolean {
  return /^__(?:Host|Secure)-/i.test(cookieName);
}

/** Cookies know no ports. */
function toHostName(host: string | undefined): string | undefined {
  return host?.replace(/:\d+$/, "");
}

import { describeValue } from "../describe-value.ts";
import type { Report } from "../diagnostics.ts";
import { reportKey, type RuleContext } from "./rule.ts";
import { toValues, type SourcedShop } from "../merge-config.ts";
import { toHostName, toHosts } from "../hosts.ts";

/** Browsers accept the cookie, and send it to no other shop. */
export function cookieRule({ config: { shops }, domains }: RuleContext, report: Report): void {
  for (const shop of shops) {
    checkSecure(shop, report);
    checkDomain(shop, shops, domains, report);
  }
}

// --- Internal helpers ---

function checkSecure({ session }: SourcedShop, report: Report): void {
  const { cookieName, partitioned, sameSite, secure } = toValues(session);
  if (secure !== false) return;
  const reason = [
    sameSite === "none" && 'sameSite is "none"',
    partitioned && "partitioned is true",
    isPrefixed(cookieName) && `cookieName is ${describeValue(cookieName, "cookieName")}`,
  ].find((text) => text !== false);
  const key = session.secure;
  if (reason === undefined) reportKey(report, "SF203", key);
  else reportKey(report, "SF201", key, `true or "auto", because ${reason}`);
}

function checkDomain(
  { session, shop }: SourcedShop,
  shops: readonly SourcedShop[],
  { isPublicSuffix }: RuleContext["domains"],
  report: Report,
): void {
  const { cookieName, domain } = toValues(session);
  if (domain === undefined) return;
  const key = session.domain;
  if (/^__Host-/i.test(cookieName)) {
    const expected = `no domain, because cookieName is ${describeValue(cookieName, "cookieName")}`;
    reportKey(report, "SF202", key, expected);
  }
  const name = domain.replace(/^\./, "").toLowerCase();
  const hosts = toHosts(shop.host.value).map(toHostName);
  const isAbove = (below: string) => below === name || below.endsWith(`.${name}`);
  if (isPublicSuffix(name)) {
    reportKey(report, "SF205", key);
  } else if (!hosts.every(isAbove)) {
    reportKey(report, "SF204", key);
  } else if (hosts.length > 0) {
    const others = shops.flatMap((other) => toHosts(other.shop.host.value)).map(toHostName);
    const isShared = others.some((other) => !hosts.includes(other) && isAbove(other));
    if (isShared) reportKey(report, "SF206", key);
  }
}

function isPrefixed(cookieName: string): boolean {
  return /^__(?:Host|Secure)-/i.test(cookieName);
}

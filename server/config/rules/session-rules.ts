import { describeValue } from "../diagnostics.ts";
import { toHostName, toHosts } from "../hosts.ts";
import { toValues, type SourcedShop } from "../merge-config.ts";
import type { RuleContext } from "./rule.ts";

/** Browsers accept the cookie, and send it to no other shop. Each of the timeouts can take effect. */
export function sessionRule(context: RuleContext): void {
  for (const shop of context.config.shops) {
    checkSecure(shop, context);
    checkDomain(shop, context);
    checkLifetimes(shop, context);
  }
}

// --- Internal helpers ---

function checkSecure({ session }: SourcedShop, { report }: RuleContext): void {
  const { cookieName, partitioned, sameSite, secure } = toValues(session);
  if (secure !== false) return;
  const reason = [
    sameSite === "none" && 'sameSite is "none"',
    partitioned && "partitioned is true",
    /^__(?:Host|Secure)-/i.test(cookieName) &&
      `cookieName is ${describeValue(cookieName, "cookieName")}`,
  ].find((text) => text !== false);
  if (reason === undefined) report("SF203", session.secure);
  else report("SF201", session.secure, { expected: `true or "auto", because ${reason}` });
}

function checkDomain(shop: SourcedShop, { config, domains, report }: RuleContext): void {
  const { cookieName, domain } = shop.session;
  if (domain.value === undefined) return;
  if (/^__Host-/i.test(cookieName.value)) {
    const prefixed = describeValue(cookieName.value, "cookieName");
    report("SF202", domain, { expected: `no domain, because cookieName is ${prefixed}` });
  }
  const name = domain.value.replace(/^\./, "").toLowerCase();
  const hosts = toHosts(shop.shop.host.value).map(toHostName);
  const isAbove = (below: string) => below === name || below.endsWith(`.${name}`);
  if (domains.isPublicSuffix(name)) {
    report("SF205", domain);
  } else if (!hosts.every(isAbove)) {
    report("SF204", domain);
  } else if (hosts.length > 0) {
    const others = config.shops.flatMap((other) => toHosts(other.shop.host.value)).map(toHostName);
    const isShared = others.some((other) => !hosts.includes(other) && isAbove(other));
    if (isShared) report("SF206", domain);
  }
}

function checkLifetimes({ session }: SourcedShop, { report }: RuleContext): void {
  const { maxAge, renewAfter, idleTimeout, absoluteTimeout } = session;
  for (const [idle, absolute] of pairs) {
    const key = session[idle];
    if (!key.isSet) continue;
    const longest = session[absolute].value ?? Infinity;
    if (key.value > maxAge.value) {
      report("SF301", key, { expected: `no more than maxAge, which is ${maxAge.value}` });
    } else if (key.value > longest) {
      report("SF302", key, { expected: `less than ${absolute}, which is ${longest}` });
    }
  }
  if (maxAge.isSet && maxAge.value > absoluteTimeout.value) report("SF303", maxAge);
  if (renewAfter.value >= absoluteTimeout.value) report("SF304", renewAfter);
  if (idleTimeout.value > thirtyDays) report("SF305", idleTimeout.isSet ? idleTimeout : maxAge);
}

/** The timeouts of users and of guests. */
const pairs = [
  ["idleTimeout", "absoluteTimeout"],
  ["guestIdleTimeout", "guestAbsoluteTimeout"],
] as const;

const thirtyDays = 30 * 86_400;

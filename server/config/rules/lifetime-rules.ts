import type { SourcedShop } from "../merge-config.ts";
import type { Report } from "../diagnostics.ts";
import { reportKey, type RuleContext } from "./rule.ts";

/** Each of the timeouts can take effect. */
export function lifetimeRule({ config: { shops } }: RuleContext, report: Report): void {
  for (const shop of shops) checkLifetimes(shop, report);
}

// --- Internal helpers ---

/** The timeouts of users and of guests. */
const pairs = [
  ["idleTimeout", "absoluteTimeout"],
  ["guestIdleTimeout", "guestAbsoluteTimeout"],
] as const;

const thirtyDays = 30 * 86_400;

function checkLifetimes({ session }: SourcedShop, report: Report): void {
  const { maxAge, renewAfter, absoluteTimeout } = session;
  for (const [idle, absolute] of pairs) {
    const key = session[idle];
    if (!key.isSet) continue;
    const longest = session[absolute].value ?? Infinity;
    if (key.value > maxAge.value) {
      reportKey(report, "SF301", key, `no more than maxAge, which is ${maxAge.value}`);
    } else if (key.value > longest) {
      reportKey(report, "SF302", key, `less than ${absolute}, which is ${longest}`);
    }
  }
  const longest = absoluteTimeout.value;
  if (maxAge.isSet && maxAge.value > longest) {
    reportKey(report, "SF303", session.maxAge);
  }
  if (renewAfter.value >= longest) {
    reportKey(report, "SF304", session.renewAfter);
  }
  if (session.idleTimeout.value > thirtyDays) {
    const key = session.idleTimeout.isSet ? "idleTimeout" : "maxAge";
    reportKey(report, "SF305", session[key]);
  }
}

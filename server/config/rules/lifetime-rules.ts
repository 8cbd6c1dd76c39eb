import type { RuleContext } from "./rule.ts";

/** Each of the timeouts can take effect. */
export function lifetimeRule({ config: { shops }, report }: RuleContext): void {
  for (const { session } of shops) {
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
}

// --- Internal helpers ---

/** The timeouts of users and of guests. */
const pairs = [
  ["idleTimeout", "absoluteTimeout"],
  ["guestIdleTimeout", "guestAbsoluteTimeout"],
] as const;

const thirtyDays = 30 * 86_400;

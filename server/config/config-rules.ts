import { cookieRule } from "./rules/cookie-rules.ts";
import type { Report } from "./diagnostics.ts";
import { lifetimeRule } from "./rules/lifetime-rules.ts";
import { originRule } from "./rules/origin-rules.ts";
import { shopRule } from "./rules/shop-rules.ts";
import type { RuleContext } from "./rules/rule.ts";
import { secretRule } from "./rules/secret-rules.ts";
import { serverRule } from "./rules/server-rules.ts";
import { storageRule } from "./rules/storage-rules.ts";

/** Checks how keys go together, and reports values that are valid but risky. */
export function applyRules(context: RuleContext, report: Report): void {
  for (const rule of rules) rule(context, report);
}

// --- Internal helpers ---

const rules = [shopRule, secretRule, cookieRule, lifetimeRule, originRule, storageRule, serverRule];

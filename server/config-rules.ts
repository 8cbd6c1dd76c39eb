import { cookieRule } from "./cookie-rules.ts";
import type { Report } from "./findings.ts";
import { lifetimeRule } from "./lifetime-rules.ts";
import { originRule } from "./origin-rules.ts";
import { placeRule } from "./place-rules.ts";
import type { Rule, Subject } from "./rule.ts";
import { secretRule } from "./secret-rules.ts";
import { serverRule } from "./server-rules.ts";
import { storageRule } from "./storage-rules.ts";

/** Applies the rules between keys, and those for values that are possible but not wise. */
export function applyRules(subject: Subject, report: Report): void {
  for (const rule of rules) rule(subject, report);
}

// --- Internal helpers ---

const rules: readonly Rule[] = [
  placeRule,
  secretRule,
  cookieRule,
  lifetimeRule,
  originRule,
  storageRule,
  serverRule,
];

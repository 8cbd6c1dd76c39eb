import { describeValue } from "../describe-value.ts";
import type { Diagnostic, Report } from "../diagnostics.ts";
import type { Environment } from "../environment.ts";
import type { SourcedValue } from "../keys/key.ts";
import type { SourcedConfig } from "../merge-config.ts";
import type { guessedDomainRules } from "../hosts.ts";

/** The input of a rule. Invalid values are replaced by defaults, because they have a diagnostic already. */
export interface RuleContext {
  readonly config: SourcedConfig;
  readonly environment: Environment;
  readonly domains: typeof guessedDomainRules;
}

/** Reports the value of a key. `expected` is the remedy of the diagnostic by default. */
export function reportKey(
  report: Report,
  code: Diagnostic["code"],
  { path, value }: SourcedValue,
  expected?: string,
): void {
  report(code, path, describeValue(value, path.split(".").at(-1)), expected);
}

import type { Report } from "../diagnostics.ts";
import type { Environment } from "../environment.ts";
import type { guessedDomainRules } from "../hosts.ts";
import type { SourcedConfig } from "../merge-config.ts";

/** The input of a rule. Invalid values are replaced by defaults, because they have a diagnostic already. */
export interface RuleContext {
  readonly config: SourcedConfig;
  readonly environment: Environment;
  readonly domains: typeof guessedDomainRules;
  readonly report: Report;
}

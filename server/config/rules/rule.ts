import { describeValue } from "../describe-value.ts";
import type { Diagnostic, Report } from "../diagnostics.ts";
import type { Environment } from "../environment.ts";
import type { Sourced, SourcedValue } from "../layers.ts";
import type { SourcedConfig } from "../merge-config.ts";
import type { DomainRules } from "../registrable-domain.ts";

/** The input of a rule. Invalid values are replaced by defaults, because they have a diagnostic already. */
export interface RuleContext {
  readonly config: SourcedConfig;
  readonly environment: Environment;
  readonly domains: DomainRules;
}

/** The path of a key: where the config sets it, or else `path`. */
export function pathOf({ isSet, source }: SourcedValue, path: string): string {
  return isSet ? source : path;
}

/** Reports a key of a group, for example `secure` of `session`. The group of a key of the top level is `""`. */
export function reportKey<Values>(
  report: Report,
  code: Diagnostic["code"],
  [group, values, key]: readonly [group: string, values: Sourced<Values>, key: keyof Values],
  expected?: string,
): void {
  const sourced = values[key];
  const name = String(key);
  const path = pathOf(sourced, group === "" ? name : `${group}.${name}`);
  report(code, path, describeValue(sourced.value, name), expected);
}

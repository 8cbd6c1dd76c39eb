import { describeFound } from "../config-error.ts";
import type { ConfigSettings } from "../config-settings.ts";
import type { Environment } from "../environment.ts";
import type { FindingCode, Report } from "../diagnostics.ts";
import type { Setting, Settings } from "../layers.ts";

/** What rules look at. What is at fault by itself has been taken out of the config before. */
export interface Subject {
  readonly settings: ConfigSettings;
  readonly environment: Environment;
}

/** Looks at how the keys of a config go together, and reports what it finds. */
export type Rule = (subject: Subject, report: Report) => void;

/** Where a setting stands, or would stand if it did. */
export function placeOf({ isWritten, from }: Setting, path: string): string {
  return isWritten ? from : path;
}

/** Reports a setting by its key, as `secure` of the group `session`. */
export function reportSetting<Values>(
  report: Report,
  code: FindingCode,
  [group, settings, key]: readonly [group: string, settings: Settings<Values>, key: keyof Values],
  expected?: string,
): void {
  const setting = settings[key];
  const name = String(key);
  const path = placeOf(setting, group === "" ? name : `${group}.${name}`);
  report(code, path, describeFound(setting.value, name), expected);
}

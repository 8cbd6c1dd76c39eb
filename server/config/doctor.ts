import { isOneOfSeveral } from "./environment.ts";
import { examineConfig } from "./check.ts";
import { createFindings, findingKinds, type Finding, type Severity } from "./diagnostics.ts";
import { checkStorage } from "./storage-check.ts";
import { findStorages } from "./configured-storages.ts";

/** What is to be said of a config in production, and of the storages behind it; the worst comes first. */
export async function diagnose(config: unknown): Promise<readonly Finding[]> {
  const environment = { production: true, isOneOfSeveral: isOneOfSeveral() };
  const { findings, settings } = examineConfig(config, environment);
  const places = findStorages(settings).filter(({ driver, config: { getItem } }) => {
    return driver !== undefined || getItem !== undefined;
  });
  const { report, list } = createFindings(environment);
  await Promise.all(places.map((place) => checkStorage(place, report)));
  const all = [...findings, ...list()];
  return severities.flatMap((severity) => all.filter((finding) => finding.severity === severity));
}

/** A paragraph for each finding, and how many there are. */
export function describeDiagnosis(findings: readonly Finding[], file: string): string {
  const paragraphs = findings.map(({ code, severity, path, found, expected }) =>
    [
      `${code} ${severity} ${path}`,
      `  found ${found}, expected ${expected}`,
      `  ${findingKinds[code].about}\n\n`,
    ].join("\n"),
  );
  const counts = severities.map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return `${file}, judged as production\n\n${paragraphs.join("")}${counts.join(", ")}\n`;
}

// --- Internal helpers ---

const severities: readonly Severity[] = ["error", "warning", "notice"];

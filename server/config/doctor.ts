import { checkConfig } from "./check.ts";
import { findStorages } from "./configured-storages.ts";
import { createDiagnostics, diagnosticKinds, type Diagnostic } from "./diagnostics.ts";
import { isOneOfSeveral } from "./environment.ts";
import { loadDomainRules } from "./registrable-domain.ts";
import { checkStorage } from "./storage-check.ts";

/** Checks a config for production, and the storages behind it. Errors come first, then warnings, then notices. */
export async function diagnose(config: unknown): Promise<readonly Diagnostic[]> {
  const environment = { production: true, isOneOfSeveral: isOneOfSeveral() };
  const { diagnostics, effective } = checkConfig(config, environment, await loadDomainRules());
  const storages = findStorages(effective).filter(({ driver, config: { getItem } }) => {
    return driver !== undefined || getItem !== undefined;
  });
  const { report, list } = createDiagnostics(environment);
  await Promise.all(storages.map((storage) => checkStorage(storage, report)));
  const all = [...diagnostics, ...list()];
  return severities.flatMap((severity) => all.filter((each) => each.severity === severity));
}

/** Formats a paragraph for each diagnostic, and the number of each severity. */
export function describeDiagnosis(diagnostics: readonly Diagnostic[], file: string): string {
  const paragraphs = diagnostics.map(({ code, severity, path, found, expected }) =>
    [
      `${code} ${severity} ${path}`,
      `  found ${found}, expected ${expected}`,
      `  ${diagnosticKinds[code].about}\n\n`,
    ].join("\n"),
  );
  const counts = severities.map((severity) => {
    const count = diagnostics.filter((each) => each.severity === severity).length;
    return `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return `${file}, judged as production\n\n${paragraphs.join("")}${counts.join(", ")}\n`;
}

// --- Internal helpers ---

const severities = ["error", "warning", "notice"] as const;

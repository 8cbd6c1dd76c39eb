import type { DiagnosticKind } from "../../dist/server/config/diagnostic-kind.js";
import { escapeMarkdown, type CodePage } from "./code-page.ts";
import { importSource } from "./sources.ts";

const { serviceFindings } = await importSource<
  typeof import("../../dist/server/cli/service-findings.js")
>("server/cli/service-findings.ts");
const { configDiagnostics } = await importSource<
  typeof import("../../dist/server/config/config-diagnostics.js")
>("server/config/config-diagnostics.ts");
const { serverDiagnostics } = await importSource<
  typeof import("../../dist/server/config/server-diagnostics.js")
>("server/config/server-diagnostics.ts");
const { startErrors } = await importSource<
  typeof import("../../dist/server/config/start-error.js")
>("server/config/start-error.ts");

/** A page for each finding of the doctor and each error at startup, from the tables of the program. */
export function createFindingPages(): readonly CodePage[] {
  const ofConfig = Object.entries<DiagnosticKind>({ ...configDiagnostics, ...serverDiagnostics });
  const ofService = Object.entries<DiagnosticKind>(serviceFindings);
  return [
    ...ofConfig.map(([code, kind]) => createFindingPage(code, kind, explainSeverities(code, kind))),
    ...ofService.map(([code, kind]) => createFindingPage(code, kind, ofRunningService)),
    ...Object.entries(startErrors).map(([code, kind]) => createFindingPage(code, kind, ofStart)),
  ];
}

// --- Internal helpers ---

const ofRunningService = `\`storefront doctor --url <URL>\` reports it about a running service. See [Check a running
service](../doctor.md#check-a-running-service).`;

const ofStart = `A command that can't start prints it at the end of its message, and exits with code 1. See [Errors at
startup](../doctor.md#errors-at-startup).`;

function createFindingPage(code: string, kind: DiagnosticKind, where: string): CodePage {
  const title = `${code}: ${kind.about}`;
  const text = `# ${escapeMarkdown(title)}

**Expected:** ${escapeMarkdown(kind.remedy)}

${where}

[All findings](../doctor.md#findings)
`;
  return { code, path: `findings/${code}.md`, title, text };
}

function explainSeverities(code: string, { severity, development, isDeferred }: DiagnosticKind) {
  const describe = (level: DiagnosticKind["development"]) => {
    if (level === "none") return "It isn't reported.";
    if (level === "notice") return "A notice: only `storefront doctor` prints it.";
    if (code.startsWith("SF7")) {
      const exit = level === "error" ? ", and exits with the code 1" : "";
      return `${capitalize(level)}: \`storefront doctor\` prints it${exit}.`;
    }
    if (level === "warning") return "A warning: the server prints it at startup, and starts.";
    if (!isDeferred) return "An error: the server doesn't start.";
    return `An error: \`storefront start\` ends. In other servers, [calls get 503](../storage.md#in-production).`;
  };
  return `- In production: ${describe(severity)}
- In development: ${describe(development)}

\`storefront doctor\` prints the path of the option, its value, and the value that it expects.`;
}

function capitalize(level: "error" | "warning"): string {
  return level === "error" ? "An error" : "A warning";
}

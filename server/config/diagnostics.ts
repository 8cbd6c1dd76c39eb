import { serverGroups, shopGroups } from "./config.ts";
import type { ConfigFault } from "./config-error.ts";
import { configDiagnostics } from "./config-diagnostics.ts";
import type { DiagnosticKind } from "./diagnostic-kind.ts";
import type { KeyTable } from "./keys/config-key.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";
import { serverDiagnostics } from "./server-diagnostics.ts";

/** A problem, and the path of its key. */
export interface Diagnostic extends ConfigFault {
  readonly code: keyof typeof diagnosticKinds;
  readonly severity: DiagnosticKind["severity"];
}

/** Reports a problem of a key. By default, `found` describes its value, and `expected` is the remedy of the kind. */
export type Report = (
  code: Diagnostic["code"],
  key: { readonly path: string; readonly value?: unknown },
  texts?: { readonly found?: string; readonly expected?: string },
) => void;

/** All kinds of diagnostics. docs/doctor.md has the same table. */
export const diagnosticKinds = { ...configDiagnostics, ...serverDiagnostics };

/** Collects each diagnostic once, because a rule reports a global key for each shop. */
export function createDiagnostics(mode: { readonly production: boolean }): {
  readonly report: Report;
  list(): readonly Diagnostic[];
} {
  const diagnostics = new Map<string, Diagnostic>();
  return {
    report(code, { path, value }, texts = {}) {
      const { development, remedy, ...kind } = diagnosticKinds[code];
      const severity = mode.production ? kind.severity : development;
      if (severity === "none") return;
      const { found = describeValue(value, path.split(".").at(-1)), expected = remedy } = texts;
      const diagnostic = { code, severity, path, found, expected };
      diagnostics.set(JSON.stringify(diagnostic), diagnostic);
    },
    list: () => [...diagnostics.values()],
  };
}

/** A line for each kind of warning, with the paths of its keys. */
export function toWarnings(diagnostics: readonly Diagnostic[]): string[] {
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  return [...new Set(warnings.map(({ code }) => code))].map((code) => {
    const paths = warnings.filter((warning) => warning.code === code).map(({ path }) => path);
    return `${diagnosticKinds[code].about} (${code}: ${paths.join(", ")})`;
  });
}

/**
 * Describes a value of the config in an error, without revealing a secret.
 * @param key the name of its key; `undefined` if no such key exists
 */
export function describeValue(value: unknown, key: string | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const isPublic = key !== undefined && publicKeys.has(key);
  if (typeof value === "number") return isPublic ? String(value) : "a number";
  if (typeof value === "string") {
    if (isPublic && isHarmless(value)) return JSON.stringify(value);
    return `a string of ${value.length} characters`;
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

// --- Internal helpers ---

/** A misplaced secret is longer. A URL with a password contains `@`. */
function isHarmless(text: string): boolean {
  return text.length < 32 && !text.includes("@");
}

/** The names of public keys, and of the one public option of a storage. */
const publicKeys: ReadonlySet<string> = new Set([
  "driver",
  ...namesOf({ ...topKeys, ...shopKeys, ...shopGroups, ...serverGroups }),
]);

function namesOf(table: KeyTable): string[] {
  return Object.entries(table).flatMap(([name, { visibility, keys = {} }]) => {
    return visibility === "public" ? [name] : namesOf(keys);
  });
}

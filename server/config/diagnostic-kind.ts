/** A kind of problem in a config, or in the storages behind it. */
export interface DiagnosticKind {
  /** In production. An error prevents the start. The start prints a warning. Only `storefront doctor` prints a notice. */
  readonly severity: "error" | "warning" | "notice";
  /** In development; `none` for no diagnostic. */
  readonly development: DiagnosticKind["severity"] | "none";
  /**
   * Whether `createStorefront` does not throw for this error: the CLI checks it at startup, other servers at the first
   * call. A bundler loads the config in another environment, and must not fail.
   */
  readonly isDeferred?: boolean;
  /** Explains the problem in one sentence. The start prints it for a warning. */
  readonly about: string;
  /** The expected value, unless a rule has a more exact one. */
  readonly remedy: string;
}

export const error = kindOf("error");
export const warning = kindOf("warning");
export const notice = kindOf("notice");
export const productionWarning = kindOf("warning", "none");
export const productionNotice = kindOf("notice", "none");

// --- Internal helpers ---

function kindOf(
  severity: DiagnosticKind["severity"],
  development: DiagnosticKind["development"] = severity,
) {
  return (
    about: string,
    remedy: string,
    rest: Partial<Pick<DiagnosticKind, "development" | "isDeferred">> = {},
  ): DiagnosticKind => ({ severity, development, about, remedy, ...rest });
}

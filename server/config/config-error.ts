/** An error in a config. */
export interface ConfigFault {
  /** The code of the diagnostic, for example `SF101`: see docs/doctor.md. */
  readonly code: string;
  /** The path of the key, for example `shops[0].session.maxAge`. */
  readonly path: string;
  /** The value. For a possible secret, only its length. */
  readonly found: string;
  readonly expected: string;
}

/** An invalid config, with all of its errors. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(
      ({ code, path, found, expected }) =>
        `  ${path}: found ${found}, expected ${expected} (${code})`,
    );
    const count = faults.length === 1 ? "an error" : `${faults.length} errors`;
    super([`The config has ${count}:`, ...lines].join("\n"));
    this.faults = faults;
  }
}

/** Formats a path as in code, for example `shops[0].session`. */
export function toPath(keys: readonly PropertyKey[]): string {
  const steps = keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  return steps.join("").replace(/^\./, "") || "the config";
}

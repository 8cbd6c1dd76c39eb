/** One fault of a config. */
export interface ConfigFault {
  /** As `shops[0].session.maxAge`. */
  readonly path: string;
  /** What stands there; a value that may be secret is only measured. */
  readonly found: string;
  readonly expected: string;
}

/** A config that cannot be used, with all of its faults. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(
      ({ path, found, expected }) => `  ${path}: found ${found}, expected ${expected}`,
    );
    const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
    super([`The config has ${count}:`, ...lines].join("\n"));
    this.faults = faults;
  }
}

/** Writes a path down as one would in code. */
export function toPath(keys: readonly PropertyKey[]): string {
  const steps = keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  return steps.join("").replace(/^\./, "") || "the config";
}

/** Says what stands at a place of the config, without giving a secret away. */
export function describeFound(value: unknown, keys: readonly PropertyKey[]): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean" || typeof value === "number") {
    return String(value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string") {
    const isPublic = publicKeys.has(String(keys.findLast((key) => typeof key === "string")));
    if (isPublic && value.length <= 80) return JSON.stringify(value);
    return `a string of ${value.length} characters`;
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

// --- Internal helpers ---

/** Keys whose text may be shown. Of all others it may be a secret at the wrong place. */
const publicKeys: ReadonlySet<string> = new Set([
  "absoluteTimeout",
  "basePath",
  "cookieName",
  "currency",
  "domain",
  "driver",
  "host",
  "idleTimeout",
  "isDefault",
  "locale",
  "maxAge",
  "maxBodySize",
  "maxItems",
  "maxQuantity",
  "mergeStrategy",
  "partitioned",
  "path",
  "realm",
  "sameSite",
  "secure",
  "shopId",
  "shopSelector",
  "trustProxy",
]);

/** One fault of a config. */
export interface ConfigFault {
  /** As `SF101`: docs/doctor.md has them all. */
  readonly code: string;
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

/**
 * Says what stands at a place of the config, without giving a secret away.
 * @param key the key it stands under; `undefined` where no such key is known
 */
export function describeFound(value: unknown, key: string | undefined): string {
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

/** Neither as long as a secret, nor an address with a password in it, that got to the wrong place. */
function isHarmless(text: string): boolean {
  return text.length < 32 && !text.includes("@");
}

/** Keys whose value may be shown. */
const publicKeys: ReadonlySet<string> = new Set([
  "absoluteTimeout",
  "basePath",
  "callTimeout",
  "cookieName",
  "currency",
  "domain",
  "driver",
  "drainDelay",
  "drainTimeout",
  "freshFor",
  "guestAbsoluteTimeout",
  "guestIdleTimeout",
  "headersTimeout",
  "host",
  "idleTimeout",
  "isDefault",
  "keepAliveTimeout",
  "locale",
  "lossy",
  "maxAge",
  "maxBodySize",
  "maxConnections",
  "maxItems",
  "maxQuantity",
  "maxSessionsPerUser",
  "mergeStrategy",
  "partitioned",
  "path",
  "perAccount",
  "perAddress",
  "publicUrl",
  "realm",
  "renewAfter",
  "requestTimeout",
  "sameSite",
  "secure",
  "sessionLimitPolicy",
  "shopId",
  "shopSelector",
  "singleProcess",
  "trustProxy",
  "window",
]);

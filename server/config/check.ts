import { ConfigError, describeFound, toPath } from "./config-error.ts";
import { applyRules } from "./config-rules.ts";
import { createConfigSchema } from "./config-schema.ts";
import { decideSettings, type ConfigSettings } from "./config-settings.ts";
import type { StorefrontConfig } from "./config.ts";
import type { Environment } from "./environment.ts";
import { createFindings, isDeferred, type Finding } from "./diagnostics.ts";

/** What there is to say of a config. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** Of what is sound in it. */
  readonly settings: ConfigSettings;
}

/** Looks at each key of a config, and then, where that is sound, at how the keys go together. */
export function examineConfig(config: unknown, environment: Environment): Examination {
  const { error } = createConfigSchema().safeParse(config);
  const issues = (error?.issues ?? []).flatMap(toSingleIssues);
  const ofShape = createFindings(environment);
  for (const { path, message, isUnknownKey } of issues) {
    const key = isUnknownKey ? undefined : path.findLast((step) => typeof step === "string");
    const place = toPath(isUnknownKey ? withHarmlessKey(path) : path);
    ofShape.report("SF001", place, describeFound(at(config, path), key), message);
  }
  const faults = ofShape.list();
  const settings = decideSettings(toSound(config, issues), environment);
  const ofRules = createFindings(environment);
  applyRules({ settings, environment }, ofRules.report);
  // Where something stands that is no good, a rule that misses it has nothing to add.
  const news = ofRules
    .list()
    .filter(({ path }) => !faults.some((fault) => isWithin(path, fault.path)));
  return { findings: [...faults, ...news], settings };
}

/** @throws ConfigError with all errors that are not deferred, if there are any */
export function assertNoErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity, code }) => severity === "error" && !isDeferred(code));
  if (errors.length > 0) throw new ConfigError(errors);
}

// --- Internal helpers ---

interface Issue {
  readonly path: PropertyKey[];
  readonly message: string;
  readonly isUnknownKey?: boolean;
}

/** As zod gives it. */
interface RawIssue extends Issue {
  readonly keys?: string[];
  readonly errors?: Issue[][];
}

/** One issue for each unknown key, and the faults of a list instead of the list's. */
function toSingleIssues({ path, message, keys, errors }: RawIssue): Issue[] {
  if (keys !== undefined) {
    return keys.map((key) => ({ path: [...path, key], message, isUnknownKey: true }));
  }
  const ofItems = errors?.flat().filter((inner) => inner.path.length > 0) ?? [];
  if (ofItems.length === 0) return [{ path, message }];
  return ofItems.map((inner) => ({ path: [...path, ...inner.path], message: inner.message }));
}

/** The config without what is at fault; a shop that is none, or a list of none, is an empty one. */
function toSound(config: unknown, issues: readonly Issue[]): StorefrontConfig {
  const sound = issues.reduce<unknown>((rest, { path }) => withoutPath(rest, path), config);
  const { shops = [], ...others } = (sound ?? {}) as Partial<StorefrontConfig>;
  // Without a shop that can be read, the global settings are still looked at.
  return { ...others, shops: shops.length > 0 ? shops : [{} as StorefrontConfig["shops"][0]] };
}

/** An unknown key can be a secret with its own key in front, as YAML reads `{secret:abc}`. */
function withHarmlessKey(path: readonly PropertyKey[]): readonly PropertyKey[] {
  const key = String(path.at(-1));
  if (key.length < 32 && /^(?:storefront:[\w:]+|[\w.-]+)$/.test(key)) return path;
  return [...path.slice(0, -1), `a key of ${key.length} characters`];
}

function at(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return value;
  return at((value as Record<PropertyKey, unknown> | undefined)?.[key], rest);
}

function withoutPath(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return undefined;
  const inner = withoutPath((value as Record<PropertyKey, unknown>)[key], rest);
  if (Array.isArray(value)) {
    // Not by `map`, which passes over holes: they are what a comma too many leaves.
    return Array.from(value, (item: unknown, index) => (index === key ? (inner ?? {}) : item));
  }
  return { ...value, [key]: inner };
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

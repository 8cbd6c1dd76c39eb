import { findSimilar } from "../../shared/similar.ts";
import { ConfigError, toPath } from "./config-error.ts";
import { createConfigSchema, serverGroups, shopGroups, type StorefrontConfig } from "./config.ts";
import {
  createDiagnostics,
  describeValue,
  diagnosticKinds,
  type Diagnostic,
} from "./diagnostics.ts";
import type { Environment } from "./environment.ts";
import { mergeConfig } from "./merge-config.ts";
import { guessedDomainRules } from "./hosts.ts";
import { commerceRule } from "./rules/commerce-rules.ts";
import { originRule } from "./rules/origin-rules.ts";
import { secretRule } from "./rules/secret-rules.ts";
import { serverRule } from "./rules/server-rules.ts";
import { sessionRule } from "./rules/session-rules.ts";
import { shopRule } from "./rules/shop-rules.ts";
import { storageRule } from "./rules/storage-rules.ts";

/**
 * Checks each key of a config, and then the valid keys together.
 * @returns also the effective config, with defaults instead of invalid values
 */
export function checkConfig(
  config: unknown,
  environment: Environment,
  domains = guessedDomainRules,
) {
  const { error } = createConfigSchema().safeParse(config);
  const issues = (error?.issues ?? []).flatMap(toSingleIssues);
  const ofKeys = createDiagnostics(environment);
  for (const { path, message, isUnknownKey } of issues) {
    const key = isUnknownKey ? undefined : path.findLast((step) => typeof step === "string");
    const shown = toPath(isUnknownKey ? withHarmlessKey(path) : path);
    const found = describeValue(valueAt(config, path), key);
    ofKeys.report("SF001", { path: shown }, { found, expected: message });
  }
  const invalid = ofKeys.list();
  const effective = mergeConfig(withoutInvalid(config, issues), environment);
  const ofRules = createDiagnostics(environment);
  const { report } = ofRules;
  for (const rule of rules) rule({ config: effective, environment, domains, report });
  // A rule replaces an invalid value by a default, so its report about that key means nothing.
  const news = ofRules
    .list()
    .filter(({ path }) => !invalid.some((fault) => isWithin(path, fault.path)));
  return { diagnostics: [...invalid, ...news], effective };
}

/** @throws ConfigError with all errors that are not deferred, if there are any */
export function assertNoErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter(({ severity, code }) => {
    return severity === "error" && !diagnosticKinds[code].isDeferred;
  });
  if (errors.length > 0) throw new ConfigError(errors);
}

// --- Internal helpers ---

const rules = [
  shopRule,
  commerceRule,
  secretRule,
  sessionRule,
  originRule,
  storageRule,
  serverRule,
];

/** An issue of zod. `keys` are unknown keys; `errors` are the issues of each member of a union. */
interface Issue {
  readonly path: PropertyKey[];
  readonly message: string;
  readonly keys?: string[];
  readonly errors?: Issue[][];
  readonly isUnknownKey?: boolean;
}

/** Makes an issue for each unknown key, and for each item of a list. */
function toSingleIssues({ path, message, keys, errors }: Issue): Issue[] {
  if (keys !== undefined) {
    return keys.map((key) => ({
      path: [...path, key],
      message: message + suggestKey(key, message, path),
      isUnknownKey: true,
    }));
  }
  const ofItems = errors?.flat().filter((inner) => inner.path.length > 0) ?? [];
  if (ofItems.length === 0) return [{ path, message }];
  return ofItems.map((inner) => ({ path: [...path, ...inner.path], message: inner.message }));
}

/** Names the key that was probably meant: a similar one, or the same one in a group. */
function suggestKey(key: string, message: string, path: readonly PropertyKey[]): string {
  const known = message.replace(/^one of the keys /, "").split(", ");
  const isGlobal = path.length === 0;
  const groups =
    isGlobal || path.length === 2
      ? Object.entries({ ...shopGroups, ...(isGlobal && serverGroups) })
      : [];
  const group = groups.find(([, { keys }]) => Object.hasOwn(keys, key));
  const similar = findSimilar(key, known) ?? (group && `${group[0]}.${key}`);
  return similar === undefined ? "" : `; did you mean ${similar}?`;
}

/** The config without invalid values. Rules also check the global keys of a config without a valid shop. */
function withoutInvalid(config: unknown, issues: readonly Issue[]): StorefrontConfig {
  const valid = issues.reduce<unknown>((rest, { path }) => withoutPath(rest, path), config);
  const { shops = [], ...others } = (valid ?? {}) as Partial<StorefrontConfig>;
  return { ...others, shops: shops.length > 0 ? shops : [{} as StorefrontConfig["shops"][0]] };
}

/** Hides an unknown key that can be a secret: YAML reads `{secret:abc}` as the key `secret:abc`. */
function withHarmlessKey(path: readonly PropertyKey[]): readonly PropertyKey[] {
  const key = String(path.at(-1));
  if (key.length < 32 && /^(?:storefront:[\w:]+|[\w.-]+)$/.test(key)) return path;
  return [...path.slice(0, -1), `a key of ${key.length} characters`];
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    config,
  );
}

function withoutPath(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return undefined;
  const inner = withoutPath((value as Record<PropertyKey, unknown>)[key], rest);
  if (Array.isArray(value)) {
    // `map` would skip holes, which an extra comma leaves.
    return Array.from(value, (item: unknown, index) => (index === key ? (inner ?? {}) : item));
  }
  return { ...value, [key]: inner };
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

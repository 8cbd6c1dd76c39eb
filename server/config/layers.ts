import { toPath } from "./config-error.ts";

/** The effective value of a key, and its source. */
export interface SourcedValue<Value = unknown> {
  readonly value: Value;
  /** Its path in the config, for example `shops[0].session.maxAge`; else `default`, or `from session.maxAge`. */
  readonly source: string;
  /** Whether the config sets it. */
  readonly isSet: boolean;
}

/** The effective value of each key. */
export type Sourced<Values> = { readonly [Key in keyof Values]: SourcedValue<Values[Key]> };

/** The keys that one object of the config sets. */
export type Layer = Readonly<Record<string, SourcedValue>>;

/**
 * Reads an object of the config. A key that is `undefined` is not set.
 * @param path for example `["shops", 0, "session"]`
 */
export function toLayer(values: object | undefined, path: readonly PropertyKey[]): Layer {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, { value, source: toPath([...path, key]), isSet: true }]),
  );
}

/** A default. */
export function byDefault<Value>(value: Value): SourcedValue<Value> {
  return { value, source: "default", isSet: false };
}

/** A default that depends on another key. */
export function derived<Value>(path: string, value: Value): SourcedValue<Value> {
  return { value, source: `from ${path}`, isSet: false };
}

/** The values alone. */
export function toValues<Values>(sourced: Sourced<Values>): Values {
  const entries = Object.entries<SourcedValue>(sourced).map(([key, { value }]) => [key, value]);
  return Object.fromEntries(entries) as Values;
}

import { toPath } from "./config-error.ts";

/** A decided value, and where it comes from. */
export interface Setting<Value = unknown> {
  readonly value: Value;
  /** Its place in the config, as `shops[0].session.maxAge`; else `default`, or `from session.maxAge`. */
  readonly from: string;
  /** Whether it stands in the config. */
  readonly isWritten: boolean;
}

/** A setting for each key. */
export type Settings<Values> = { readonly [Key in keyof Values]: Setting<Values[Key]> };

/** Some settings, to be laid over others. */
export type Layer<Values> = Partial<Settings<Values>>;

/**
 * What stands in the config at a place.
 * @param place as `["shops", 0, "session"]`
 * @param keys those that matter; by default all
 */
export function written<Values>(
  values: { readonly [Key in keyof Values]?: Values[Key] | undefined } | undefined,
  place: readonly PropertyKey[],
  keys: readonly string[] = Object.keys(values ?? {}),
): Layer<Values> {
  const entries = Object.entries(values ?? {}).filter(([key, value]) => {
    return value !== undefined && keys.includes(key);
  });
  return Object.fromEntries(
    entries.map(([key, value]) => [key, { value, from: toPath([...place, key]), isWritten: true }]),
  ) as Layer<Values>;
}

/** What holds where the config says nothing. */
export function defaults<Values extends object>(values: Values): Settings<Values> {
  const entries = Object.entries(values).map(([key, value]) => [key, byDefault(value)]);
  return Object.fromEntries(entries) as Settings<Values>;
}

/** A value that holds where the config says nothing. */
export function byDefault<Value>(value: Value): Setting<Value> {
  return { value, from: "default", isWritten: false };
}

/** A value that follows from another one. */
export function derived<Value>(source: string, value: Value): Setting<Value> {
  return { value, from: `from ${source}`, isWritten: false };
}

/** Lays settings over one another, key by key; the last wins. The first has all keys. */
export function mergeLayers<Values>(
  first: Settings<Values>,
  ...layers: readonly Layer<Values>[]
): Settings<Values> {
  return Object.assign({}, first, ...layers) as Settings<Values>;
}

/** The values alone. */
export function toValues<Values>(settings: Settings<Values>): Values {
  const entries = Object.entries<Setting>(settings).map(([key, { value }]) => [key, value]);
  return Object.fromEntries(entries) as Values;
}

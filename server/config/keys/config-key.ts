import * as z from "zod/mini";

/** In seconds. */
export const day = 86_400;

/** The effective value of a key, and its source. */
export interface SourcedValue<Value = unknown> {
  readonly value: Value;
  /** The path at which the config sets the key, for example `shops[0].session.maxAge`; else that of the global key. */
  readonly path: string;
  /** The path if the config sets the key; else `default`, or `from session.maxAge`. */
  readonly source: string;
  /** Whether the config sets it. */
  readonly isSet: boolean;
}

/** The effective value of each key. */
export type Sourced<Values> = { readonly [Name in keyof Values]: SourcedValue<Values[Name]> };

/** A config key: its check, its default, and who may see it. Its documentation is the comment above it in its table. */
export interface Key<Value = unknown> {
  /** Checks a value that is set. The message of its issue is `expected`. */
  readonly schema: z.ZodMiniType<Value>;
  readonly expected: string;
  readonly isRequired?: boolean;
  readonly default?: Value;
  /** The default, if it depends on the environment or on keys above this one in the table. */
  readonly derive?: (
    above: Readonly<Record<string, SourcedValue>>,
    environment: { readonly production: boolean; readonly isDefaultShop?: boolean },
  ) => Pick<SourcedValue<Value>, "value" | "source">;
  /** Errors show a `public` value. Nothing shows a `secret` one. By default, only `storefront explain` shows a value. */
  readonly visibility?: "public" | "secret";
  /** The keys of a value that is an object. */
  readonly keys?: KeyTable;
}

export type KeyTable = Readonly<Record<string, Key>>;

/** The values of a table as a config sets them. */
export type ConfigOf<Table extends KeyTable> = {
  readonly [
    Name in keyof Table as Table[Name] extends { readonly isRequired: true } ? Name : never
  ]: z.output<Table[Name]["schema"]>;
} & {
  readonly [
    Name in keyof Table as Table[Name] extends { readonly isRequired: true } ? never : Name
  ]?: z.output<Table[Name]["schema"]> | undefined;
};

/** The effective values of a table: `undefined` only for keys without a default. */
export type Effective<Table extends KeyTable> = {
  readonly [Name in keyof Table]: Table[Name] extends {
    readonly derive: (...args: never) => { readonly value: infer Value };
  }
    ? Value
    : Table[Name] extends { readonly default: unknown } | { readonly isRequired: true }
      ? z.output<Table[Name]["schema"]>
      : z.output<Table[Name]["schema"]> | undefined;
};

/** A default. */
export function byDefault<Value>(fallback: Value) {
  return { value: fallback, source: "default" };
}

/** A default that depends on another key. */
export function derived<Value>(path: string, inherited: Value) {
  return { value: inherited, source: `from ${path}` };
}

/** A default that is the value of another key of the same table, for example of `session.maxAge`. */
export function follow<Value>(path: string) {
  const name = path.split(".").at(-1) ?? "";
  return (above: Readonly<Record<string, SourcedValue>>) =>
    derived(path, above[name]?.value as Value);
}

export function value<Value>(check: (found: unknown) => boolean, expected: string) {
  return { schema: z.custom<Value>(check, { error: expected }), expected };
}

/** A short text that can't hold a secret. */
export function text(pattern: RegExp, expected: string) {
  const isMatch = (found: unknown) => typeof found === "string" && pattern.test(found);
  return { ...value<string>(isMatch, expected), visibility: "public" } as const;
}

export function oneOf<const Name extends string>(...names: readonly Name[]) {
  const expected = names.map((name) => JSON.stringify(name)).join(" or ");
  const isName = (found: unknown) => names.includes(found as Name);
  return { ...value<Name>(isName, expected), visibility: "public" } as const;
}

export const boolean = {
  ...value<boolean>((found) => typeof found === "boolean", "true or false"),
  visibility: "public",
} as const;

/** @param of the unit, for example " of bytes" */
export function count(of = "") {
  return integer(1, Number.MAX_SAFE_INTEGER, `a whole number${of}, 1 or more`);
}

/** A duration in seconds, from 1 to `most`. */
export function seconds(most = Number.MAX_SAFE_INTEGER) {
  const days =
    most < Number.MAX_SAFE_INTEGER
      ? ` (${most / day} ${most === day ? "day" : "days"} at most)`
      : "";
  return integer(1, most, `a whole number of seconds, 1 or more${days}`);
}

export function integer(least: number, most: number, expected: string) {
  const isInRange = (found: unknown) =>
    Number.isSafeInteger(found) && Number(found) >= least && Number(found) <= most;
  return { ...value<number>(isInRange, expected), visibility: "public" } as const;
}

/** A secret, or a list of secrets. `least` is the fewest characters of each, `name` the name in errors. */
export function secrets(least: number, name: string) {
  const one = z.custom<string>((found) => typeof found === "string" && found.length >= least, {
    error: name,
  });
  const expected = `${name}, or a list of them`;
  const list = z.array(one).check(z.minLength(1, { error: expected }));
  const schema: z.ZodMiniType<string | readonly string[]> = z.union([one, list], {
    error: expected,
  });
  return { schema, expected, visibility: "secret" } as const;
}

/**
 * The schema of an object: an unknown key is an error.
 * @param removed for keys that existed in other programs, the message that names the replacement
 */
export function objectOf(table: KeyTable, removed: Readonly<Record<string, string>> = {}) {
  const schemas = Object.entries(table).map(([name, { schema, isRequired = false }]) => {
    return [name, isRequired ? schema : z.optional(schema)] as const;
  });
  const never = Object.entries(removed).map(([name, error]) => {
    return [name, z.optional(z.custom((found) => found === undefined, { error }))] as const;
  });
  const names = Object.keys(table).join(", ");
  return z.strictObject(Object.fromEntries([...schemas, ...never]), {
    error: ({ code }) => (code === "unrecognized_keys" ? `one of the keys ${names}` : "an object"),
  });
}

/** An object with the keys of a table. For `removed`, see {@link objectOf}. */
export function group<Table extends KeyTable>(keys: Table, removed?: Record<string, string>) {
  return { schema: objectOf(keys, removed), expected: "an object", keys };
}

/** `false`, or an object with the keys of a table. */
export function falseOr<Table extends KeyTable>(keys: Table) {
  const expected = "false or an object";
  const schema = z.union([z.literal(false), objectOf(keys)], { error: expected });
  return { schema: schema as unknown as z.ZodMiniType<ConfigOf<Table> | false>, expected, keys };
}

/** Whether a value has functions with these names. */
export function hasFunctions(found: unknown, names: readonly string[]): boolean {
  return (
    ((typeof found === "object" && found !== null) || typeof found === "function") &&
    names.every((name) => typeof (found as Record<string, unknown>)[name] === "function")
  );
}

/** A list whose items pass a check, or another valid value. The error names the items that fail. */
export function listOf<Value>(
  isItem: (item: unknown) => boolean,
  expected: string,
  {
    isOther = () => false,
    least = 0,
  }: {
    /** Whether a single value is valid, too. */
    readonly isOther?: (found: unknown) => boolean;
    /** The fewest items. */
    readonly least?: number;
  } = {},
) {
  const check = (found: unknown) =>
    isOther(found) ||
    (Array.isArray(found) && found.length >= least && findWrong(found).length === 0);
  // `Array.from`, because `entries` of a list with holes would be undefined.
  const findWrong = (found: readonly unknown[]) =>
    Array.from(found, (item, index) => (isItem(item) ? [] : `[${index}]`)).flat();
  const error = ({ input }: { readonly input?: unknown }) => {
    const wrong = Array.isArray(input) ? findWrong(input) : [];
    if (wrong.length === 0) return expected;
    return `${expected}; ${wrong.join(", ")} ${wrong.length === 1 ? "is" : "are"} none of these`;
  };
  return { schema: z.custom<Value>(check, { error }), expected };
}

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { $ZodType, $ZodTypes } from "zod/v4/core";
import { holdsForeignMark, isForeignMarked, markForeign } from "./foreign-schema.ts";

export const redacted = "[redacted]";

/**
 * Marks the values of a schema as secrets, for example a password. With zod 4, you can mark any part, and derived
 * schemas stay marked. With another library, or zod 3, mark the whole `input`: `defineRpcMethod` throws for a part.
 * @returns the schema itself; with arktype a copy, so use the returned schema
 */
export function secret<Schema extends StandardSchemaV1>(schema: Schema): Schema {
  if (!isZod(schema)) return markForeign(schema);
  marked.add(schema);
  return schema;
}

/**
 * Rejects a method's input if its secrets could not be found.
 * @throws TypeError if `secret` marks a part of a schema that is not zod 4's
 */
export function assertSecretsFindable(input: StandardSchemaV1): void {
  if (isZod(input) || isForeignMarked(input) || !holdsForeignMark(input)) return;
  throw new TypeError(
    `secret() marks a part of a method's input, but the schema is one of ${input["~standard"].vendor}: parts can be marked with zod 4 only. Mark the whole input, for example input: secret(schema), or use zod 4`,
  );
}

/** Whether `secret` marks the whole of a schema, or of one that it is derived from. */
export function isMarkedSecret(schema: StandardSchemaV1 | $ZodType): boolean {
  return isZod(schema as StandardSchemaV1) ? isMarked(schema as $ZodType) : isForeignMarked(schema);
}

/** Whether `secret` marks a schema, or a part of it. */
export function holdsSecrets(schema: StandardSchemaV1): boolean {
  return isZod(schema) ? holdsSecret(schema) : isForeignMarked(schema);
}

/**
 * Finds the secrets of a payload. If a part doesn't match a schema with secrets, all of that part is secret, because it
 * can contain a misplaced password.
 * @returns `masked`: the payload with `[redacted]` instead of its secrets, or `undefined` if no schema says which parts
 * are secret; `secrets`: strings, numbers, and objects and arrays whose every value is secret
 */
export function maskSecrets(
  schema: StandardSchemaV1 | undefined,
  payload: unknown,
): { readonly masked: unknown; readonly secrets: readonly unknown[] } {
  const secrets: unknown[] = [];
  if (schema !== undefined && isZod(schema)) {
    return { masked: mask(schema, payload, secrets), secrets };
  }
  return schema !== undefined && isForeignMarked(schema)
    ? { masked: redacted, secrets: [payload] }
    : { masked: undefined, secrets };
}

/** Whether the name of a key marks its value as a secret. */
export function isSecretName(key: unknown): boolean {
  return typeof key === "string" && secretName.test(key);
}

/**
 * Finds the strings and numbers under secret keys of a payload, in one pass. A generator per part would take ten
 * times as long.
 */
export function findNamedSecrets(payload: unknown): readonly unknown[] {
  const found: unknown[] = [];
  const seen = new Set<object>();
  let visits = 0;

  function collect(value: unknown, isNamed: boolean, depth: number): void {
    if (typeof value !== "object" || value === null) {
      if (isNamed) found.push(value);
      return;
    }
    // The output of a schema can be circular, and remembering every object takes too long.
    if (++visits > unseenVisits || depth > unseenDepth) {
      if (seen.has(value)) return;
      seen.add(value);
    }
    if (Array.isArray(value)) {
      for (const item of value) collect(item, isNamed, depth + 1);
      return;
    }
    for (const key of Object.keys(value)) {
      // A cookie in a payload is mostly a choice, such as `cookieConsent: "all"`.
      const isSecret = isNamed || (isSecretName(key) && !/cookie/i.test(key));
      collect((value as Record<string, unknown>)[key], isSecret, depth + 1);
    }
  }

  collect(payload, false, 0);
  return found;
}

// --- Internal helpers ---

const marked = new WeakSet<object>();

function isZod(schema: object): schema is $ZodType & StandardSchemaV1 {
  return "_zod" in schema;
}

function internalsOf(schema: $ZodType) {
  const { _zod: internals } = schema as $ZodTypes;
  return internals;
}

/**
 * @param secrets the secrets found so far
 * @param isPart whether other schemas describe the other keys of the object
 */
function mask(schema: $ZodType, value: unknown, secrets: unknown[], isPart = false): unknown {
  if (value === undefined || value === null || !holdsSecret(schema)) return value;
  const hide = (): string => {
    if (value !== redacted) secrets.push(value);
    return redacted;
  };
  if (isMarked(schema)) return hide();
  const inner = (part: $ZodType, found: unknown) => mask(part, found, secrets);
  const inEach = (parts: readonly $ZodType[]) =>
    parts.reduce<unknown>((rest, part) => mask(part, rest, secrets, true), value);
  const { def } = internalsOf(schema);
  switch (def.type) {
    case "object": {
      if (!isObject(value)) return hide();
      const entries = Object.entries(value).map(([key, found]) => {
        const part = Object.hasOwn(def.shape, key) ? def.shape[key] : def.catchall;
        if (part !== undefined && internalsOf(part).def.type !== "never")
          return [key, inner(part, found)];
        if (isPart) return [key, found];
        secrets.push(found);
        return [key, redacted];
      });
      return Object.fromEntries(entries);
    }
    case "record": {
      if (!isObject(value)) return hide();
      if (holdsSecret(def.keyType)) {
        secrets.push(Object.keys(value));
        return hide();
      }
      const entries = Object.entries(value).map(([key, found]) => [
        key,
        inner(def.valueType, found),
      ]);
      return Object.fromEntries(entries);
    }
    case "array":
      return Array.isArray(value) ? value.map((item) => inner(def.element, item)) : hide();
    case "tuple": {
      if (!Array.isArray(value)) return hide();
      return value.map((item, index) => {
        const part = def.items[index] ?? def.rest;
        return part ? inner(part, item) : item;
      });
    }
    case "union": {
      const fitting = def.options.filter((option) => fits(option, value));
      if (fitting.length === 0) return hide();
      return fitting.length === 1
        ? mask(fitting[0] as $ZodType, value, secrets, isPart)
        : inEach(fitting);
    }
    case "intersection":
      return inEach([def.left, def.right]);
    case "pipe":
      return mask(holdsSecret(def.in) ? def.in : def.out, value, secrets, isPart);
    case "lazy":
      return mask(def.getter(), value, secrets, isPart);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "catch":
    case "readonly":
      return mask(def.innerType, value, secrets, isPart);
    default:
      return hide();
  }
}

/** Whether a schema is marked, or derived from a marked one: `secret(text).min(8)`. */
function isMarked(schema: $ZodType): boolean {
  if (marked.has(schema)) return true;
  const { parent } = internalsOf(schema);
  return parent !== undefined && isMarked(parent);
}

function holdsSecret(schema: $ZodType, seen = new Set<$ZodType>()): boolean {
  if (isMarked(schema)) return true;
  if (seen.has(schema)) return false;
  seen.add(schema);
  return partsOf(schema).some((part) => holdsSecret(part, seen));
}

/** The schemas inside a schema, under any property of its definition. */
function partsOf(schema: $ZodType): $ZodType[] {
  const { def } = internalsOf(schema);
  if (def.type === "lazy") return [def.getter()];
  const values =
    def.type === "object" ? [def.catchall, ...Object.values(def.shape)] : Object.values(def);
  return values.flat().filter((value): value is $ZodType => isObject(value) && isZod(value));
}

/** Whether a value can be of this option of a union; a quick check. */
function fits(schema: $ZodType, value: unknown): boolean {
  const { def, values } = internalsOf(schema);
  if (values !== undefined) return values.has(value as string);
  switch (def.type) {
    case "object":
      return (
        isObject(value) &&
        Object.entries(def.shape).every(
          ([key, { _zod }]) => _zod.values === undefined || _zod.values.has(value[key] as string),
        )
      );
    case "record":
      return isObject(value);
    case "array":
    case "tuple":
      return Array.isArray(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === def.type;
    default:
      return true;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Above the number of parts in a payload of the default size, and the depth of any payload. */
const unseenVisits = 100_000;
const unseenDepth = 64;

const secretName = /pass[-_ ]?(?:w|phrase|code)|pwd|secret|token|authorization|cookie/i;

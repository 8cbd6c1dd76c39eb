/**
 * Marks a schema that isn't zod 4's as secret, to detect a marked part of a schema later.
 * @returns the schema itself; with arktype a copy, because equal types are one object there
 */
export function markForeign<Schema extends object>(schema: Schema): Schema {
  hasMarks = true;
  if (isArktype(schema)) return schema.configure({ [metaMark]: true }) as Schema;
  marked.add(schema);
  // Libraries copy a schema, or its definition, to derived schemas, for example of `.min(8)`.
  for (const part of [schema, ownValue(schema, "_def")]) {
    if (isObject(part) && Object.isExtensible(part)) Object.assign(part, { [mark]: true });
  }
  return schema;
}

/** Whether a schema is marked, or derived from a marked one. */
export function isForeignMarked(schema: object): boolean {
  if (marked.has(schema) || Object.hasOwn(schema, mark)) return true;
  const [definition, meta] = [ownValue(schema, "_def"), ownValue(schema, "meta")];
  return (
    (isObject(definition) && Object.hasOwn(definition, mark)) ||
    (isObject(meta) && Object.hasOwn(meta, metaMark))
  );
}

/** Whether a marked schema is a part of another, as far as its properties show. */
export function holdsForeignMark(schema: object): boolean {
  if (!hasMarks) return false;
  const seen = new Set<object>();
  const open: unknown[] = partsOf(schema);
  while (open.length > 0 && seen.size < maxParts) {
    const part = open.pop();
    if (!isObject(part) || seen.has(part)) continue;
    seen.add(part);
    if (isForeignMarked(part)) return true;
    open.push(...partsOf(part));
  }
  return false;
}

// --- Internal helpers ---

const mark = Symbol("secret");
/** A type of arktype, which distinguishes types by the JSON of their metadata. */
const metaMark = "storefront-core:secret";
const marked = new WeakSet<object>();
let hasMarks = false;

/** Above the size of any schema; the search runs once, when a method is defined. */
const maxParts = 20_000;

function isArktype(schema: object): schema is { configure(meta: object): unknown } {
  const { references, configure } = schema as { references?: unknown; configure?: unknown };
  return Array.isArray(references) && typeof configure === "function";
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Runs no getter. */
function ownValue(schema: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(schema, key)?.value;
}

/** All objects in the properties of a schema. */
function partsOf(schema: object): unknown[] {
  // arktype's schemas reference all schemas of the program, but list their own parts.
  const { references } = schema as { readonly references?: unknown };
  if (Array.isArray(references)) return references;
  if (schema instanceof Map || schema instanceof Set) return [...schema.keys(), ...schema.values()];
  return Reflect.ownKeys(schema).flatMap((key) => {
    const value = ownValue(schema, key);
    return isLazy(key, value) ? [value, tryCall(value)] : [value];
  });
}

/** Parts that zod 3 and valibot create on access. */
function isLazy(key: PropertyKey, value: unknown): value is () => unknown {
  return typeof value === "function" && (key === "shape" || key === "getter");
}

function tryCall(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return undefined;
  }
}
